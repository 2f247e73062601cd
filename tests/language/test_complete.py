"""What is offered at a cursor, `|` in the text, on text that is mostly not finished."""

from __future__ import annotations

import pytest

from ratls_ls.config.check import apply
from ratls_ls.config.problem import Edit
from ratls_ls.config.read import read
from ratls_ls.language.complete import Item, ItemKind, complete
from ratls_ls.status import UNCHECKED

HEAD = """\
model_provider = "tee"

[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
use_ratls = true
"""
POLICY = HEAD + "\n[model_providers.tee.ratls_policy]\n"


def offered(marked: str, *, snippets: bool = False) -> list[Item]:
    offset = marked.index("|")
    text = marked.replace("|", "", 1)
    return complete(read(text), offset, lambda _: UNCHECKED, snippets=snippets)


def labels(marked: str) -> list[str]:
    return [item.label for item in offered(marked) if item.kind is not ItemKind.SNIPPET]


def chosen(marked: str, label: str) -> str:
    """The text after `label` was taken."""
    item = next(item for item in offered(marked) if item.label == label)
    return apply(marked.replace("|", "", 1), [Edit(item.span, item.new_text)])


@pytest.mark.parametrize(
    ("marked", "some", "none"),
    [
        (HEAD + "|", ["env_key", "ratls_policy", "wire_api"], ["name", "base_url", "use_ratls"]),
        (HEAD + "env|", ["env_key"], ["name"]),
        (POLICY + "|", ["tee_type", "allowed_tdx_status", "min_tdx_tcb"], ["name"]),
        (POLICY + "tee_type = |", ["Tdx"], ["UpToDate"]),
        (POLICY + 'tee_type = "|"', ["Tdx"], []),
        (POLICY + 'tee_type = "T|', ["Tdx"], []),
        (POLICY + "allowed_tdx_status = [|", ["UpToDate", "OutOfDate"], ["Revoked"]),
        (POLICY + 'allowed_tdx_status = ["UpToDate", |', ["OutOfDate"], ["Revoked"]),
        (POLICY + 'allowed_tdx_status = ["UpToDate", "|"]', ["OutOfDate"], ["UpToDate"]),
        (POLICY + 'allowed_tdx_status = [\n  "UpToDate",\n  |\n]', ["OutOfDate"], ["UpToDate"]),
        (POLICY + "allowed_tdx_status = |", ['["UpToDate"]'], ["UpToDate"]),
        (POLICY + 'pccs_url = "|"', ["https://pccs.phala.network/tdx/certification/v4"], []),
        (POLICY + "min_tdx_tcb = { |", ["mrseam", "mrtmrs"], ["tee_type"]),
        (POLICY + "min_tdx_tcb.|", ["mrseam", "mrtmrs"], ["tee_type"]),
        (POLICY + "expected_bootchain.m|", ["mrtd"], ["tee_type"]),
        (HEAD + "ratls_policy = { tee_type = |", ["Tdx"], []),
        (HEAD + 'ratls_policy = { tee_type = "Tdx", |', ["pccs_url"], ["name"]),
        (HEAD + "wire_api = |", ["chat", "responses"], []),
        (HEAD + "requires_openai_auth = |", ["true", "false"], []),
        ("model_provider = |\n" + HEAD, ["tee"], []),
        ('model_provider = "|"\n' + HEAD, ["tee"], []),
        ('profiles.work.model_provider = "|"\n' + HEAD, ["tee"], []),
        (HEAD + "[profiles.work]\nmodel_provider = |", ["tee"], []),
        (HEAD + "[profiles.work]\n|", ["model_provider"], ["name"]),
        (HEAD + "[model_providers.|", ["model_providers.tee.ratls_policy"], []),
        (HEAD + "[mod|", ["model_providers.tee"], []),
        ("|\n" + HEAD, ["oss_provider"], ["model_provider", "name"]),
    ],
)
def test_offered(marked: str, some: list[str], none: list[str]) -> None:
    found = labels(marked)
    assert set(some) <= set(found)
    assert not set(none) & set(found)


@pytest.mark.parametrize(
    "marked",
    [
        HEAD + "# nam|",
        HEAD + 'name = "a" # |',
        HEAD + 'env_key_instructions = """\nna|',
        HEAD + 'http_headers = { X = "|" }',
        "[tool.x]\nna|",
        '[model_providers]\n"|',
        HEAD + "nonsense = |",
    ],
)
def test_nothing_is_offered(marked: str) -> None:
    assert labels(marked) == []


@pytest.mark.parametrize(
    ("marked", "label", "after"),
    [
        (POLICY + 'tee_type = "|"', "Tdx", POLICY + 'tee_type = "Tdx"'),
        (POLICY + "tee_type = '|'", "Tdx", POLICY + "tee_type = 'Tdx'"),
        (POLICY + "tee_type = T|", "Tdx", POLICY + 'tee_type = "Tdx"'),
        (POLICY + "tee|", "tee_type", POLICY + "tee_type = "),
        (POLICY + 'te|e = "Tdx"', "tee_type", POLICY + 'tee_type = "Tdx"'),
        (
            POLICY + 'allowed_tdx_status = ["Up|ToDat"]',
            "UpToDate",
            POLICY + 'allowed_tdx_status = ["UpToDate"]',
        ),
        (HEAD + "[model_pro|", "model_providers.tee", HEAD + "[model_providers.tee"),
    ],
)
def test_what_is_taken_replaces_the_word(marked: str, label: str, after: str) -> None:
    assert chosen(marked, label) == after


def test_snippets_give_what_has_no_error() -> None:
    for item in offered(HEAD + "|"):
        if item.kind is ItemKind.SNIPPET:
            file = read(apply(HEAD, [Edit(item.span, item.new_text)]))
            assert file.providers["tee"].provider is not None
    names = [item.label for item in offered(HEAD + "|")]
    assert {"strict policy", "development policy"} <= set(names)
    (attested,) = (item for item in offered("|", snippets=True) if item.snippet)
    assert attested.label == "attested provider"


def test_every_offset_of_anything_is_answered() -> None:
    text = POLICY + 'allowed_tdx_status = ["UpToDate", \nmin_tdx_tcb = { mrseam = "00\n[[x\n'
    for end in range(len(text)):
        for offset in range(0, end, 7):
            complete(read(text[:end]), offset, lambda _: UNCHECKED, snippets=True)
