"""Pins written into policies of every form."""

from __future__ import annotations

import pytest

from ratls_ls.config.check import apply
from ratls_ls.config.problem import Edit
from ratls_ls.config.read import read
from ratls_ls.config.span import Span
from ratls_ls.language.pin import pin
from ratls_ls.rats.result import AttestationResult

LONG = {name: f"{index:02x}" * 48 for index, name in enumerate(["mrtd", "rtmr0", "rtmr1"])}
MEASUREMENTS = {
    **LONG,
    "rtmr2": "aa" * 48,
    "rtmr3": "bb" * 48,
    "mrseam": "cc" * 48,
    "composeHash": "dd" * 32,
    "osImageHash": "ee" * 32,
    "appId": "ff" * 20,
}
RESULT = AttestationResult((), "https://tee.example:443", 1, measurements=MEASUREMENTS)
HEAD = """\
# mine
[model_providers.tee] # the best
name = "tee"
base_url = "https://tee.example/v1"
use_ratls = true
"""
ALL = {
    "min_tdx_tcb.mrseam": "cc" * 48,
    "min_tdx_tcb.mrtmrs": LONG["rtmr0"],
    "expected_bootchain.mrtd": LONG["mrtd"],
    "expected_bootchain.rtmr0": LONG["rtmr0"],
    "expected_bootchain.rtmr1": LONG["rtmr1"],
    "expected_bootchain.rtmr2": "aa" * 48,
    "os_image_hash": "ee" * 32,
    "compose_hash": "dd" * 32,
}
TABLE = "[model_providers.tee.ratls_policy]\n"
OTHER = '\n[model_providers.other]\nname = "other" # other\n'


def pinned(text: str, result: AttestationResult = RESULT) -> str:
    file = read(text)
    return apply(text, pin(file, file.providers["tee"], result))


def pins(text: str) -> dict[str, str]:
    provider = read(text).providers["tee"].provider
    assert provider is not None
    return {found.key: found.value.hex() for found in provider.policy.pins}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "policy",
    [
        "",
        TABLE,
        TABLE + "# nothing yet\n",
        TABLE + 'tee_type = "Tdx" # a comment\n# the end\n',
        TABLE + 'tee_type = "Tdx"\n[model_providers.tee.ratls_policy.min_tdx_tcb]\n',
        TABLE + f'[model_providers.tee.ratls_policy.min_tdx_tcb]\nmrseam = "{"cc" * 48}" # x\n',
        f'[model_providers.tee.ratls_policy.min_tdx_tcb]\nmrseam = "{"CC" * 48}"\n',
        TABLE + f'os_image_hash = "0x{"ee" * 32}"\nexpected_bootchain = {{ }}\n',
        TABLE + f'  expected_bootchain = {{ mrtd = "{LONG["mrtd"]}" }} # y\n',
        'ratls_policy.tee_type = "Tdx"\n',
        'ratls_policy = { tee_type = "Tdx" }\n',
        "ratls_policy = {}\n",
    ],
)
def test_everything_is_pinned_and_nothing_else_changed(policy: str, newline: str) -> None:
    text = (HEAD + policy + OTHER).replace("\n", newline)
    left = pinned(text)
    found = {key: value.lower().removeprefix("0x") for key, value in pins(left).items()}
    assert found == ALL
    for line in text.split(newline):
        assert line in left or "{" in line
    assert left.count(newline) == left.count("\n")
    assert left.endswith(OTHER.replace("\n", newline))
    assert pinned(left) == left


def test_each_pin_is_a_line_of_its_own() -> None:
    left = pinned(HEAD + TABLE + 'tee_type = "Tdx" # t\n')
    assert left == HEAD + TABLE + 'tee_type = "Tdx" # t\n' + "".join(
        f'{key} = "{value}"\n' for key, value in ALL.items()
    )


def test_an_application_that_is_pinned_by_its_text_is_pinned() -> None:
    left = pinned(HEAD + TABLE + 'app_compose = "{}"\n')
    assert pins(left).keys() == ALL.keys() - {"compose_hash"} | {"app_compose"}


def test_what_was_not_measured_is_not_pinned() -> None:
    result = AttestationResult((), "", 1, measurements={"mrtd": LONG["mrtd"]})
    assert pins(pinned(HEAD, result)) == {"expected_bootchain.mrtd": LONG["mrtd"]}
    assert pinned(HEAD, AttestationResult((), "", 1)) == HEAD


@pytest.mark.parametrize("written", ["", "# nothing pinned\n", "use_ratls = false\n", "[["])
def test_edits_that_would_not_leave_what_they_should_are_not_made(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    text = HEAD + TABLE + OTHER
    elsewhere = Edit(Span(len(text), len(text)), written)
    monkeypatch.setattr("ratls_ls.language.rewrite.add_keys", lambda *_: elsewhere)
    assert pinned(text) == text


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "ratls_policy = 3\n",
        HEAD + TABLE + "allowed_tdx_status = []\n",
        HEAD + TABLE + "tee_type = \n",
        HEAD.replace("true", "false"),
    ],
)
def test_what_is_not_valid_is_left_alone(text: str) -> None:
    assert pinned(text) == text
