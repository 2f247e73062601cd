"""What is offered at a cursor, `|` in the text, on text that is mostly not finished."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ratls_ls.config.check import apply
from ratls_ls.config.edits import quoted
from ratls_ls.config.keys import PCCS_URLS, PHALA_PCCS_URL
from ratls_ls.config.problem import Edit
from ratls_ls.config.read import read
from ratls_ls.config.words import printable
from ratls_ls.language.complete import ATTESTED, Item, ItemKind, complete
from ratls_ls.language.explain import explain
from ratls_ls.rats.result import AttestationResult

HEAD = """\
model_provider = "tee"

[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
use_ratls = true
"""
POLICY = HEAD + "\n[model_providers.tee.ratls_policy]\n"
INNER = "model_providers.tee.ratls_policy."
HEADERS = "http_headers"


def offered(
    marked: str, *, snippets: bool = False, measured: AttestationResult | None = None
) -> list[Item]:
    offset = marked.index("|")
    text = marked.replace("|", "", 1)
    return complete(read(text), offset, lambda _: measured, snippets=snippets)


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
        (POLICY + 'allowed_tdx_status = ["UpToDate", |', ["OutOfDate"], ["UpToDate", "Revoked"]),
        (POLICY + 'allowed_tdx_status = ["UpToDate", "|', ["OutOfDate"], ["UpToDate"]),
        (POLICY + 'allowed_tdx_status = [|, "UpToDate"', ["OutOfDate"], ["UpToDate"]),
        (POLICY + 'allowed_tdx_status = [| "UpToDate" # x\n', ["OutOfDate"], ["UpToDate"]),
        (POLICY + 'allowed_tdx_status = ["|UpToDate", "x', ["UpToDate", "OutOfDate"], []),
        (
            HEAD + "ratls_policy = { allowed_tdx_status = ['uptodate', |",
            ["OutOfDate"],
            ["UpToDate"],
        ),
        (POLICY + 'allowed_tdx_status = ["UpToDate", "|"]', ["OutOfDate"], ["UpToDate"]),
        (POLICY + 'allowed_tdx_status = [\n  "UpToDate",\n  |\n]', ["OutOfDate"], ["UpToDate"]),
        (POLICY + "allowed_tdx_status = [\n|", ["UpToDate"], ["Revoked"]),
        (POLICY + 'allowed_tdx_status = [\n"UpToDate",\n|\n]', ["OutOfDate"], ["UpToDate"]),
        (POLICY + "allowed_tdx_status = |", ['["UpToDate"]'], ["UpToDate"]),
        (POLICY + 'pccs_url = "|"', ["https://pccs.phala.network/tdx/certification/v4"], []),
        (POLICY + "min_tdx_tcb = { |", ["mrseam", "mrtmrs"], ["tee_type"]),
        (POLICY + "min_tdx_tcb.|", ["mrseam", "mrtmrs"], ["tee_type"]),
        (POLICY + "expected_bootchain.m|", ["mrtd"], ["tee_type"]),
        (HEAD + "ratls_policy = { tee_type = |", ["Tdx"], []),
        (HEAD + 'ratls_policy = { tee_type = "Tdx", |', ["pccs_url"], ["name"]),
        (HEAD + 'ratls_policy = {\n tee_type = "Tdx",\n |\n}', ["pccs_url"], ["tee_type"]),
        (HEAD + "ratls_policy = { allowed_tdx_status = [\n[mo|", ["model_providers."], []),
        (HEAD + "wire_api = |", ["chat", "responses"], []),
        (HEAD + "requires_openai_auth = |", ["true", "false"], []),
        ("model_provider = |\n" + HEAD, ["tee", "openai"], []),
        ('model_provider = "|"\n' + HEAD, ["tee"], []),
        ('profiles.work.model_provider = "|"\n' + HEAD, ["tee"], []),
        (HEAD + "[profiles.work]\nmodel_provider = |", ["tee"], []),
        (HEAD + "[profiles.work]\n|", ["model_provider"], ["name"]),
        (HEAD + "[model_providers.|", ["model_providers.tee.ratls_policy"], []),
        (HEAD + "[mod|", ["model_providers."], ["model_providers.tee"]),
        (HEAD + "[|", ["model_providers.tee.ratls_policy"], []),
        ('model_provider = "new"\n[mod|', ["model_providers.new"], []),
        (POLICY + "[model_providers.tee.r|", [INNER + "min_tdx_tcb"], [INNER[:-1]]),
        (POLICY + "min_tdx_tcb = {}\n[m|", [INNER + "expected_bootchain"], [INNER + "min_tdx_tcb"]),
        (HEAD + "ratls_policy = {}\n[m|", ["model_providers."], [INNER + "min_tdx_tcb"]),
        ("|\n" + HEAD, ["oss_provider"], ["model_provider", "name"]),
        ("[prof|", ["profiles."], ["model_providers."]),
        ("profiles = {}\n[prof|", [], ["profiles."]),
        (HEAD + "[model_providers.tee.http|", [f"model_providers.tee.{HEADERS}"], [INNER[:-1]]),
        (HEAD + "[|", [f"model_providers.tee.{name}" for name in ("auth", "query_params")], []),
        (HEAD + 'env_key = "K"\n[auth|', [], ["model_providers.tee.auth"]),
        (HEAD + f"{HEADERS}.a = 'b'\n[http|", [], [f"model_providers.tee.{HEADERS}"]),
        (HEAD + 'env_key = "K"\n|', ["wire_api"], ["auth", "experimental_bearer_token", "aws"]),
        (HEAD + "auth.command = 'c'\n|", ["wire_api"], ["env_key", "requires_openai_auth"]),
        ("[model_providers.amazon-bedrock]\n|", ["aws", "base_url"], ["name", "ratls_policy"]),
        ("[model_providers.amazon-bedrock]\n[aws|", ["model_providers.amazon-bedrock.aws"], []),
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
        HEAD + 'env_key_instructions = """\n[mo|\n"""\n',
        HEAD + "# a comment\n# [mo|",
        HEAD + "env_key_instructions = '''\n[mo|",
        POLICY + 'tee_type = "Tdx" |',
        POLICY + 'tee_type = "Tdx" T|',
        POLICY + 'tee_type = "Tdx"|',
        POLICY + 'allowed_tdx_status = ["UpToDate"] |',
        POLICY + 'allowed_tdx_status = ["UpToDate" |]',
        POLICY + 'allowed_tdx_status = [\n  "UpToDate"\n  |\n]',
        HEAD + 'ratls_policy = { tee_type = "Tdx" |',
        HEAD + "requires_openai_auth = true |",
        HEAD + "[[mo|",
        HEAD + "[mo] |",
        "[model_providers.openai]\n|",
        "[model_providers.openai.ratls_policy]\n|",
        "[model_providers.openai]\n[open|",
        "[model_providers.amazon-bedrock.ratls_policy]\n|",
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
        (HEAD + "[model_pro|", "model_providers.", HEAD + "[model_providers."),
        (HEAD + "env_key|", "env_key", HEAD + "env_key = "),
        (HEAD + "env_|key # mine", "env_key", HEAD + "env_key =  # mine"),
        (POLICY + "pccs_url|", "pccs_url", POLICY + "pccs_url = "),
        (
            HEAD + 'ratls_pol|icy.tee_type = "Tdx"',
            "ratls_policy",
            HEAD + 'ratls_policy.tee_type = "Tdx"',
        ),
        (
            POLICY + 'min|_tcb.mrseam = "00"',
            "min_tdx_tcb",
            POLICY + 'min_tdx_tcb.mrseam = "00"',
        ),
        *(
            (POLICY + before, label, POLICY + after)
            for before, label, after in [
                ('tee_type = "T|  # mine', "Tdx", 'tee_type = "Tdx"  # mine'),
                ("tee_type = 'T|  # mine", "Tdx", "tee_type = 'Tdx'  # mine"),
                ('tee_type = "T|"  # mine', "Tdx", 'tee_type = "Tdx"  # mine'),
                ("tee_type = 'T|x'  # isn't", "Tdx", "tee_type = 'Tdx'  # isn't"),
                ('tee_type = "T|,#"', "Tdx", 'tee_type = "Tdx"'),
                *(
                    (f"allowed_tdx_status = [{half}", "UpToDate", f"allowed_tdx_status = [{whole}")
                    for half, whole in [
                        ('"Up|]', '"UpToDate"]'),
                        ('"Up|, "OutOfDate"]', '"UpToDate", "OutOfDate"]'),
                        ('"Up|", "OutOfDate"]', '"UpToDate", "OutOfDate"]'),
                        ('"OutOfDate", "|] # x', '"OutOfDate", "UpToDate"] # x'),
                    ]
                ),
            ]
        ),
        (
            HEAD + 'ratls_policy = { allowed_tdx_status = ["Up|] }',
            "UpToDate",
            HEAD + 'ratls_policy = { allowed_tdx_status = ["UpToDate"] }',
        ),
        (
            POLICY + 'pccs_url = "https://pc|cs.example/x # mine',
            PHALA_PCCS_URL,
            POLICY + f'pccs_url = "{PHALA_PCCS_URL}" # mine',
        ),
        *(
            (HEAD + half, INNER[:-1], HEAD + f"[{INNER[:-1]}]{rest}")
            for half, rest in [
                ("[model_pro|", ""),
                ("[model_pro|viders.te]", ""),
                ("[model_providers.tee.ratls_pol|] # p", " # p"),
                ("[|\nx = 1", "\nx = 1"),
            ]
        ),
    ],
)
def test_what_is_taken_replaces_the_word(marked: str, label: str, after: str) -> None:
    assert chosen(marked, label) == after


@pytest.mark.parametrize(
    "marked",
    [
        *('wire_api = "|', 'wire_api = "|"', "wire_api = 'r|", "wire_api = 'r|x' # '", '"wire|'),
        *('"wire|" = 1', "ratls_policy.allowed_tdx_status = ['UpToDate', \"|"),
        *(
            'ratls_policy = { tee_type = "|" pccs_url = "x" }',
            'ratls_policy.pccs_url = "https://p|',
        ),
    ],
)
def test_in_a_string_the_quotes_that_are_there_stay(marked: str) -> None:
    offset = (HEAD + marked).index("|")
    text = (HEAD + marked).replace("|", "", 1)
    found = offered(HEAD + marked)
    assert found
    for item in found:
        quote = text[item.span.start - 1]
        assert quote in "\"'"
        assert item.span.start <= offset
        after = text[item.span.end : item.span.end + 1]
        # Neovim puts it before all that follows the cursor.
        assert item.new_text.count(quote) == (after != quote)


@pytest.mark.parametrize(
    ("typed", "first", "further", "none"),
    [
        ("tee", "tee_type", set(), {"pccs_url"}),
        ("P", "pccs_url", {"compose_hash", "app_compose"}, {"min_tdx_tcb"}),
        ("status", "allowed_tdx_status", set(), {"tee_type", "pccs_url"}),
    ],
)
def test_what_was_typed_is_looked_for(
    typed: str, first: str, further: set[str], none: set[str]
) -> None:
    found = labels(POLICY + typed + "|")
    assert found[:1] == [first]
    assert further <= set(found)
    assert not none & set(found)


@pytest.mark.parametrize(
    "marked",
    [
        POLICY + "min_tdx_tcb.mrseam = |",
        POLICY + 'min_tdx_tcb.mrseam = "|"',
        POLICY + 'min_tdx_tcb = { mrseam = "c|" }',
        POLICY + '[model_providers.tee.ratls_policy.min_tdx_tcb]\nmrseam = "|',
    ],
)
def test_what_was_just_verified_is_offered_while_the_pin_is_still_wrong(marked: str) -> None:
    result = AttestationResult((), None, 1, measurements={"mrseam": "cc" * 48, "mrtd": "aa" * 48})
    (item,) = offered(marked, measured=result)
    assert (item.label, item.detail) == ("cc" * 48, "just verified live")
    (item,) = offered(marked, measured=replace(result, simulated=True))
    assert item.detail.startswith("SIMULATED")
    assert offered(marked) == []


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize(
    "name", ["t e", 'a"b', "a'b", "a\\b", "ü", "a\x1b[2J\u202e\u2028b\U000e0041"]
)
def test_a_provider_id_is_quoted_as_it_must_be(name: str, quote: str) -> None:
    marked = f"model_provider = {quote}|{quote}\n[model_providers.{quoted(name)}]\nname = 'x'\n"
    taken = chosen(marked, printable(name))
    assert [reference.id for reference in read(taken).references] == [name]
    assert taken.replace("\n", "").isprintable()


def test_every_topic_is_explained() -> None:
    for marked in (
        HEAD + "|",
        POLICY + "|",
        POLICY + "min_tdx_tcb.|",
        POLICY + "allowed_tdx_status = [|",
    ):
        topics = [item.topic for item in offered(marked) if item.kind is not ItemKind.SNIPPET]
        assert all(explain(topic) for topic in topics)
    assert explain("") == explain("nonsense") == ""


def test_snippets_give_what_has_no_error() -> None:
    for text in (HEAD, POLICY):
        for item in offered(text + "|"):
            if item.kind is ItemKind.SNIPPET:
                file = read(apply(text, [Edit(item.span, item.new_text)]))
                assert file.providers["tee"].provider is not None
                assert not file.document.issues
    for marked in (HEAD + "|", POLICY + "|"):
        names = [item.label for item in offered(marked)]
        assert {"strict policy", "development policy"} <= set(names)


@pytest.mark.parametrize(
    "marked",
    [
        *("|", "att|", HEAD + "|", HEAD + "\n|\n\n", HEAD + "  |\n# x\n[model_providers.b]\n"),
        *('model = "gpt-5"\n|\n' + HEAD[len('model_provider = "tee"\n') :], POLICY + "|\n[a]\n"),
        "[tool.x]\na = 1\n|",
    ],
)
def test_a_whole_provider_is_offered_where_a_header_may_stand(marked: str) -> None:
    (item,) = (item for item in offered(marked, snippets=True) if item.new_text == ATTESTED)
    text = marked.replace("|", "", 1)
    before, after = read(text), read(apply(text, [Edit(item.span, plain(item.new_text))]))
    assert after.providers.keys() - before.providers.keys() == {"my-provider"}
    assert not after.document.issues
    made = after.providers["my-provider"]
    assert list(made.table.entries) == ["name", "base_url", "env_key", "use_ratls", "ratls_policy"]
    assert made.policy is not None
    assert list(made.policy.entries) == ["tee_type", "allowed_tdx_status", "pccs_url"]


@pytest.mark.parametrize(
    "marked",
    [
        '|\nmodel = "gpt-5"\n',
        '|\n\n# x\nmodel = "gpt-5"\n',
        "[tool.x]\n|\na = 1\n",
        HEAD + '|\nenv_key = "KEY"\n',
        HEAD + "x = [\n|\n]\n",
        HEAD + "x = {\n|\n}\n",
        HEAD + 'x = """\n|\n',
        "model = |",
        "| # x",
    ],
)
def test_no_provider_is_offered_where_it_would_take_what_follows(marked: str) -> None:
    assert "attested provider" not in [item.label for item in offered(marked, snippets=True)]


def plain(snippet: str) -> str:
    """What is left of a snippet whose placeholders are all taken as they are."""
    chosen = re.sub(r"\$\{\d+\|([^,|]*)[^|]*\|\}", r"\1", snippet)
    return re.sub(r"\$\{\d+:([^}]*)\}|\$\d", r"\1", chosen)


def test_the_extension_puts_in_the_same_provider() -> None:
    source = (Path(__file__).parents[2] / "editor/vscode/src/config_file.ts").read_text("utf-8")
    found = re.search(r"NEW_PROVIDER = `(.*?)`", source, re.DOTALL)
    assert found is not None
    assert found[1].replace("\\$", "$") == ATTESTED


@pytest.mark.parametrize(
    ("marked", "label", "text"),
    [
        (POLICY + "|", "tee_type", 'tee_type = "${1|Tdx|}"'),
        (POLICY + "|", "pccs_url", f'pccs_url = "${{1|{",".join(PCCS_URLS)}|}}"'),
        (HEAD + "|", "wire_api", 'wire_api = "${1|chat,responses|}"'),
        (HEAD + "|", "requires_openai_auth", "requires_openai_auth = ${1|true,false|}"),
        (HEAD + "|", "env_key_instructions", 'env_key_instructions = "$1"'),
        (HEAD + "|", "stream_max_retries", "stream_max_retries = ${1:5}"),
    ],
)
def test_a_key_comes_with_the_values_that_it_can_have(marked: str, label: str, text: str) -> None:
    (item,) = (item for item in offered(marked, snippets=True) if item.label == label)
    assert item.new_text == text


WHOLE = """\
model_provider = "tee" # mine, "quoted"
[profiles.work]
model_provider = 'b' # isn't

[model_providers.tee] # the "best"
name = "TEE"
use_ratls = true # yes
http_headers = { "X-A" = "b", Y = 'c' }
[model_providers.tee.ratls_policy]
allowed_tdx_status = ["UpToDate", "OutOfDate"] # x
min_tdx_tcb = { mrseam = "00", mrtmrs = "11" }
[model_providers.b]
ratls_policy = { tee_type = "Tdx", allowed_tdx_status = [
  "UpToDate",
], grace_period = 3 }
"""


# What other ways there are to write it.
DOTTED = """\
  model = "m"
"my key" = 1
model_providers = { tee = { name = "TEE", ratls_policy = { tee_type = "Tdx" } } } # mine

[profiles]
  work.model_provider = "b"
  "at home".model_provider = "b"
"""
INDENTED = """\
model_providers.tee.name = "TEE"
  model_providers.tee.ratls_policy.tee_type = "Tdx"
[model_providers.b]
  'name' = "B"
  ratls_policy.min_tdx_tcb.mrseam = "00"
  ratls_policy . grace_period = 3
  http_headers.A = "b"
"""


@pytest.mark.parametrize("quoted_still", [True, False])
@pytest.mark.parametrize("given", [WHOLE, DOTTED, INDENTED], ids=["whole", "dotted", "indented"])
def test_what_is_taken_anywhere_leaves_the_rest_as_it_was(given: str, quoted_still: bool) -> None:
    whole = read(given)
    assert not whole.document.issues
    for offset in range(len(given)):
        end = given.index("\n", offset)
        closing = None if quoted_still else re.search("[\"']", given[offset:end])
        cut = offset + closing.start() if closing is not None else len(given)
        text = given[:cut] + given[cut + 1 :]
        before = read(text, whole)
        issues = len(before.document.issues)
        for item in complete(before, offset, lambda _: None, snippets=True):
            assert not set(text[offset : item.span.end]) & set("\n#,=[]{}")
            after = read(apply(text, [Edit(item.span, plain(item.new_text))]), before)
            unfinished = item.label.endswith(".")
            assert len(after.document.issues) <= issues or unfinished, (offset, item.label)


def test_every_offset_of_anything_is_answered() -> None:
    text = POLICY + 'allowed_tdx_status = ["UpToDate", \nmin_tdx_tcb = { mrseam = "00\n[[x\n'
    for end in range(len(text)):
        for offset in range(0, end, 7):
            complete(read(text[:end]), offset, lambda _: None, snippets=True)
