"""Which Provider a text gives, and that it gives none where anything is in doubt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from ratls_ls.config.check import Context, check
from ratls_ls.config.model import DEFAULT_PCCS_URL, Provider, Secret
from ratls_ls.config.overlay import base_of
from ratls_ls.config.problem import Severity
from ratls_ls.config.read import read
from ratls_ls.config.span import Span
from ratls_ls.rats.policy import AppraisalPolicy, Pin, Register, TcbStatus

HEX = "00112233445566778899aabbccddeeff" * 3
PLAIN = """\
[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
use_ratls = true
"""
POLICY = PLAIN + "\n[model_providers.tee.ratls_policy]\n"


def test_a_plain_provider_has_the_defaults() -> None:
    assert read(PLAIN).providers["tee"].provider == Provider(
        id="tee",
        name="TEE",
        base_url="https://tee.example/v1",
        policy=AppraisalPolicy(),
        pccs_url=DEFAULT_PCCS_URL,
    )


def test_everything_that_stands_there_is_in_the_provider() -> None:
    text = f"""
[model_providers.tee.ratls_policy]
tee_type = "Tdx"
allowed_tdx_status = ["UpToDate", "outofdate"]
pccs_url = "http://localhost:8081/tdx/certification/v4/"
grace_period = 86_400
app_compose = '''{{}}'''
min_tdx_tcb = {{ mrseam = "0x{HEX.upper()}" }}

[model_providers.tee.ratls_policy.expected_bootchain]
rtmr1 = "{HEX}"

[model_providers.tee]
name = "TEE"
base_url = "https://TEE.example:8443/v1/"
use_ratls = true
env_key = "TEE_KEY"
experimental_bearer_token = "token"
wire_api = "responses"
query_params = {{ api-version = "1" }}
http_headers = {{ X-Team = "a", Accept = "b" }}
env_http_headers = {{ X-Key = "KEY" }}
request_max_retries = 1000
stream_max_retries = 0
stream_idle_timeout_ms = 1
"""
    bytes_ = bytes.fromhex(HEX)
    assert read(text).providers["tee"].provider == Provider(
        id="tee",
        name="TEE",
        base_url="https://tee.example:8443/v1",
        pccs_url="http://localhost:8081/tdx/certification/v4",
        policy=AppraisalPolicy(
            allowed_tcb_status=frozenset({TcbStatus.UP_TO_DATE, TcbStatus.OUT_OF_DATE}),
            grace_period=86400,
            pins=(
                Pin("min_tdx_tcb.mrseam", Register.MRSEAM, bytes_),
                Pin("expected_bootchain.rtmr1", Register.RTMR1, bytes_),
                Pin("app_compose", Register.COMPOSE_HASH, hashlib.sha256(b"{}").digest()),
            ),
        ),
        env_key="TEE_KEY",
        bearer_token=Secret("token"),
        query_params=(("api-version", Secret("1")),),
        http_headers=(("X-Team", Secret("a")), ("Accept", Secret("b"))),
        env_http_headers=(("X-Key", "KEY"),),
        request_max_retries=100,
        stream_idle_timeout_ms=1,
    )


NO_PROVIDER = {
    "not attested": PLAIN.replace("true", "false"),
    "attested in quotes": PLAIN.replace("true", '"true"'),
    "no URL": PLAIN.replace("base_url", "base_ur"),
    "http": PLAIN.replace("https", "http"),
    "user information": PLAIN.replace("tee.example", "a@tee.example"),
    "cloud metadata": PLAIN.replace("tee.example", "169.254.169.254"),
    "trailing dot": PLAIN.replace("tee.example", "tee.example."),
    "reserved id": PLAIN.replace("tee]", "openai]"),
    "array of tables": PLAIN.replace("[model_providers.tee]", "[[model_providers.tee]]"),
    "unknown policy key": POLICY + "expected_bootchian.mrtd = '00'",
    "unknown pin": POLICY + f'min_tdx_tcb.mr_seam = "{HEX}"',
    "policy key beside the policy": PLAIN + 'allowed_tdx_status = ["UpToDate"]',
    "misspelt policy": PLAIN + f'ratls_polcy.compose_hash = "{HEX[:64]}"',
    "misspelt policy, of another type": PLAIN + 'ratls_polcy = "strict"',
    "policy with a hyphen": PLAIN + f'ratls-policy.compose_hash = "{HEX[:64]}"',
    "policy in another case": PLAIN + f'RATLS_POLICY.compose_hash = "{HEX[:64]}"',
    "policy in camel case": PLAIN + f'ratlsPolicy.compose_hash = "{HEX[:64]}"',
    "policy by another name": PLAIN + f'attestation.compose_hash = "{HEX[:64]}"',
    "a table nobody knows": PLAIN + 'frobnicate.compose_hash = "00"',
    "misspelt policy beside the policy": POLICY + "\n[model_providers.tee.ratls_policy2]",
    "misspelt switch beside the switch": PLAIN + "use_rtls = true",
    "misspelt pin beside the policy": PLAIN + f'compos_hash = "{HEX[:64]}"',
    "pin of nobody beside the policy": PLAIN + f'rtmr3 = "{HEX}"',
    "policy at the top": f'ratls_policy.compose_hash = "{HEX[:64]}"\n' + PLAIN,
    "policy under a header at the top": PLAIN + f'[ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "misspelt policy at the top": f'ratls-policy.compose_hash = "{HEX[:64]}"\n' + PLAIN,
    "policy in a profile": PLAIN + f'[profiles.a.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "policy as an id": PLAIN + f'[model_providers.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "policy of an id in another case": PLAIN
    + f'[model_providers.Tee.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "policy of an id that is misspelt": PLAIN
    + f'[model_providers.te.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "policy of an id that is misspelt, with the switch": PLAIN
    + "[model_providers.te]\nuse_ratls = true"
    + f'\n[model_providers.te.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "pins of an id that is misspelt, beside its own policy": POLICY
    + "tee_type = 'Tdx'\n[model_providers.te.ratls_policy.expected_bootchain]"
    + f'\nmrtd = "{HEX}"',
    "pins of an id that is misspelt, without the policy": PLAIN
    + f'[model_providers.te.expected_bootchain]\nmrtd = "{HEX}"',
    "misspelt pins of an id that is misspelt": PLAIN + f'[model_providers.te]\nmtrd = "{HEX}"',
    "policy under the id of another": PLAIN
    + "[model_providers.plain]\nname = 'Plain'\nbase_url = 'https://plain.example/v1'"
    + f'\n[model_providers.plain.tee.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "policy of the id of another, which has no switch": PLAIN
    + "[model_providers.plain]\nname = 'Plain'\nbase_url = 'https://plain.example/v1'"
    + f'\n[model_providers.plain.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "pin for an id": PLAIN + f'[model_providers]\ncompose_hash = "{HEX[:64]}"',
    "pin under a header that stands twice": PLAIN
    + f'[tui]\n[features]\n[tui]\ncompose_hash = "{HEX[:64]}"',
    "pin that is no statement": PLAIN + f'[tui]\ncompose_hash: "{HEX[:64]}"',
    "pin at the top": f'compose_hash = "{HEX[:64]}"\n' + PLAIN,
    "policy under misspelt providers": PLAIN
    + f'[model_provider.tee.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "policy under providers with a hyphen": PLAIN
    + f'[model-providers.tee.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "policy of another type": PLAIN + "ratls_policy = true",
    "policy half written": PLAIN + "ratls_policy = ",
    "pin half written": POLICY + 'min_tdx_tcb.mrseam = "00',
    "pin of another type": POLICY + "min_tdx_tcb.mrseam = 0x00",
    "pin that is no hex": POLICY + 'min_tdx_tcb.mrseam = "0X00"',
    "part of a pin": POLICY + 'min_tdx_tcb.mrseam = "0011"',
    "empty pin": POLICY + 'compose_hash = ""',
    "too long a pin": POLICY + f'compose_hash = "{HEX}"',
    "an application that is none": POLICY + 'app_compose = "docker-compose.yml"',
    "an empty application": POLICY + 'app_compose = ""',
    "no time to answer": PLAIN + "stream_idle_timeout_ms = 0",
    "no status": POLICY + "allowed_tdx_status = []",
    "unknown status": POLICY + 'allowed_tdx_status = ["UpToDate", "Fine"]',
    "revoked": POLICY + 'allowed_tdx_status = ["UpToDate", "Revoked"]',
    "another TEE": POLICY + 'tee_type = "SevSnp"',
    "insecure PCCS": POLICY + 'pccs_url = "http://pccs.example/v4"',
    "a key twice": POLICY + "grace_period = 1\ngrace_period = 2",
    "a table twice": PLAIN + PLAIN,
    "a line that is nothing": PLAIN + "what is this",
    "a pin under a header that cannot be read": PLAIN
    + f'\n[model_providers.tee.ratls_policy.]\nos_image_hash = "{HEX[:64]}"',
    "a pin under a header of nobody": PLAIN + f'\n["model_prov\nos_image_hash = "{HEX[:64]}"',
    "providers of another type elsewhere": "model_providers = 3\n" + PLAIN,
    "model_providers twice": "[model_providers]\n" + PLAIN + "[model_providers]\na.name = 'A'",
    "a pin on the line of a header": PLAIN
    + f'[model_providers.tee.ratls_policy]os_image_hash = "{HEX[:64]}"',
    "a pin under a header that stands twice": POLICY
    + f'tee_type = "Tdx"\n[model_providers.tee.ratls_policy]\nos_image_hash = "{HEX[:64]}"',
    "a line at the top that is nothing": "model_providers tee\n" + PLAIN,
    "no text": PLAIN + '\n[other]\na = "\ud800"',
}


@pytest.mark.parametrize("text", NO_PROVIDER.values(), ids=list(NO_PROVIDER))
def test_no_provider_where_anything_is_in_doubt(text: str) -> None:
    assert not [table for table in read(text).providers.values() if table.provider]


@pytest.mark.parametrize("key", ["min_tdx_tcb.mrseam", "expected_bootchain.mrtd"])
def test_a_pin_that_is_being_typed_is_an_error_until_it_is_whole(key: str) -> None:
    file = read(PLAIN)
    for count in range(len(HEX) + 3):
        file = read(f'{POLICY}{key} = "{(HEX * 2)[:count]}"', file)
        errors = [each.code for each in check(file) if each.severity is Severity.ERROR]
        attested = file.providers["tee"].provider is not None
        assert (attested, errors) == {
            0: (False, ["empty-measurement"]),
            len(HEX): (True, []),
            len(HEX) + 1: (False, ["long-measurement"]),
            len(HEX) + 2: (False, ["long-measurement"]),
        }.get(count, (False, ["short-measurement"]))


_MRTD = f'expected_bootchain.mrtd = "{HEX}"\n'
_HASH = f'compose_hash = "{HEX[:64]}"\n'
_TYPED = {
    "the first pin": (POLICY, _HASH),
    "in an inline table": (POLICY, f'min_tdx_tcb = {{ mrseam = "{HEX}" }}'),
    "what another pin lacks": (POLICY + _HASH, f'expected_bootchain.rtmr1 = "{HEX}"'),
    "what another pin measures": (POLICY + _MRTD, _HASH),
    "what another pin says as well": (POLICY + 'app_compose = "{}"\n' + _MRTD, _HASH),
    "no pin": (POLICY, 'tee_type = "Tdx"'),
    "beside the policy": (PLAIN + f'ratls_policy.app_compose = "{{}}"\n{_MRTD}', "env_key = 'A'"),
}


@pytest.mark.parametrize("closes", [True, False], ids=["quotes closed", "as typed"])
@pytest.mark.parametrize(("before", "line"), _TYPED.values(), ids=list(_TYPED))
def test_what_stands_on_other_lines_is_not_told_anew_at_every_character(
    before: str, line: str, *, closes: bool
) -> None:
    own, told = before.count("\n"), []
    for typed in ["", *_typing(line, closes=closes)]:
        text = before + typed + "\n"
        elsewhere = [
            (problem.code, problem.message)
            for problem in check(read(text))
            if text.count("\n", 0, problem.span.start) != own
        ]
        if elsewhere not in told[-1:]:
            told.append(elsewhere)
    assert len(told) <= 3, told


def _typing(line: str, *, closes: bool) -> Iterator[str]:
    """What stands there after each character. `closes`: the editor closes quotes."""
    behind = ""
    for count, character in enumerate(line.rstrip(), start=1):
        if closes and character in "\"'":
            behind = "" if behind == character else character
        yield line[:count] + behind


DOTTED = (
    ("name", '"TEE"'),
    ("base_url", '"https://tee.example/v1"'),
    ("use_ratls", "true"),
    ("ratls_policy", f'{{ compose_hash = "{HEX[:64]}" }}'),
)


def _dotted(provider: str) -> str:
    return "".join(f"{provider}.{key} = {value}\n" for key, value in DOTTED)


# Where the pin stands: under its own header, behind dots, in an inline table, before the provider,
# after tables of Codex, in statements that name the provider.
SLIPS_OF = (
    POLICY + f'compose_hash = "{HEX[:64]}"\n',
    PLAIN + f'ratls_policy.compose_hash = "{HEX[:64]}"\n',
    PLAIN + f'ratls_policy = {{ compose_hash = "{HEX[:64]}" }}\n',
    f'[model_providers.tee.ratls_policy]\ncompose_hash = "{HEX[:64]}"\n\n' + PLAIN,
    PLAIN
    + '[mcp_servers.docs.env]\nA = "b"\n[model_providers.tee.ratls_policy.expected_bootchain]\n'
    + f'mrtd = "{HEX}"\n',
    PLAIN
    + "[tui]\nnotifications = true\n[model_providers.tee.ratls_policy]\n"
    + f'expected_bootchain = {{ rtmr1 = "{HEX}" }}\n',
    _dotted("model_providers.tee"),
    "[model_providers]\n" + _dotted("tee"),
    "[model_providers]\n" + _dotted('"my tee"'),
)


@pytest.mark.parametrize(
    "text",
    SLIPS_OF,
    ids=[
        *("header", "dots", "inline", "before", "after variables", "after the TUI"),
        *("at the top", "under all", "under all, in quotes"),
    ],
)
def test_no_slip_of_a_finger_loses_the_pin(text: str) -> None:
    for slipped in _slips(text):
        for table in read(slipped).providers.values():
            assert table.provider is None or table.provider.policy.pins, slipped


def _slips(text: str) -> Iterator[str]:
    """`text` with one character left out, put in, exchanged, or in another case."""
    hex_digits = range(text.index(HEX[:64]) + 1, text.index(HEX[:64]) + 63)
    for at in range(len(text)):
        if at in hex_digits:
            continue
        before, after = text[:at], text[at + 1 :]
        yield before + after
        yield before + text[at].swapcase() + after
        yield before + text[at + 1 : at + 2] + text[at] + text[at + 2 :]
        for typed in "x_.\n] /:é=":
            yield before + typed + text[at:]
            yield before + typed + after


@pytest.mark.parametrize(
    "line",
    [
        'my tee.ratls_policy = { grace_period = 1, allowed_tdx_status = ["OutOfDate"] }',
        *("org/tee.ratls_policy = {}", "te e.name = 'T'", "te e.ratls_policy.tee_type 'Tdx'"),
        *("te e.use_ratls: true", "te]e.a = 1", "tée.a = 1", "te e .a = 1", "te\te.a = 1"),
        *("te=e.a = 1", "te =.a = {}"),
        *('my "tee".name = 1', "te'e.a = 1", "te e = { a = 1 }", "te e.a = [\n1,\n]"),
    ],
)
def test_a_key_that_breaks_in_an_id_may_be_any_providers(line: str) -> None:
    for text in (f"{PLAIN}[model_providers]\n{line}", f"model_providers.{line}\n{PLAIN}"):
        assert read(text).providers["tee"].provider is None


@pytest.mark.parametrize(
    "line",
    [
        *('two.name = "Two" # second', "two . name = 'Two'", 'two.http_headers."X-A" = "b"'),
        'two = { name = "Two", base_url = "https://two.example" }',
    ],
)
@pytest.mark.parametrize("behind", ["", " # a = b", "\n\n# more\n", "\r\nthree.name = 'Three'"])
def test_no_statement_that_is_being_typed_takes_another_provider_away(
    line: str, behind: str
) -> None:
    file = read(PLAIN)
    whole = file.providers["tee"].provider
    for end in range(1, len(line) + 1):
        file = read(f"{PLAIN}[model_providers]\n{line[:end]}{behind}", file)
        assert file.providers["tee"].provider == whole, line[:end]


TYPED = (
    *("[model_providers.second]", "[model_providers.second.http_headers]", "[model_providers]"),
    *('[projects."/home/me"]', "[[hooks.pre]]", '[projects."C:\\Users"]  # mine'),
)


@pytest.mark.parametrize("header", TYPED)
@pytest.mark.parametrize("closed", ["", "]"])
def test_no_header_that_is_being_typed_matters_until_something_stands_under_it(
    header: str, closed: str
) -> None:
    whole = read(PLAIN).providers["tee"].provider
    for end in range(1, len(header) + 1):
        typed = header[:end] + (closed if "]" not in header[:end] else "")
        for newline in ("\n", "\r\n"):
            for before, after in ((PLAIN, ""), ("", PLAIN), ("[model_providers]\n" + PLAIN, "")):
                lines = (before, typed, "", "# a comment", after)
                file = read(newline.join(lines))
                assert file.providers["tee"].provider == whole, typed


@pytest.mark.parametrize(
    "name",
    [
        *("ratls_policy", "http_headers", "auth"),
        *("ratls_policy.min_tdx_tcb", "ratls_policy.expected_bootchain"),
    ],
)
def test_no_table_of_a_provider_whose_header_an_editor_closes_matters_while_it_is_empty(
    name: str,
) -> None:
    before = POLICY if "." in name else PLAIN
    whole = read(before).providers["tee"].provider
    for end in range(1, len(name) + 1):
        header = f"\n[model_providers.tee.{name[:end]}]\n"
        for after in ("", f'# mrtd = "{HEX}"\n', "[x]\na = 1\n"):
            assert read(before + header + after).providers["tee"].provider == whole, header


@pytest.mark.parametrize("name", ["r", "ratls_pol", "ratls_policy.exp", "http_he", "ratls_polcy"])
@pytest.mark.parametrize(
    "under",
    [
        *(f'mrtd = "{HEX}"', "a", '"b"', "= 1", 'c = "d'),
        *("[model_providers.tee.{}.e]", "[model_providers.tee.{}]\nmrtd = 'f'"),
    ],
)
def test_a_table_that_nobody_knows_counts_with_what_stands_in_it(name: str, under: str) -> None:
    before = POLICY if "." in name else PLAIN
    text = f"{before}\n[model_providers.tee.{name}]\n{under.format(name)}\n"
    assert read(text).providers["tee"].provider is None


@pytest.mark.parametrize(
    "header",
    [
        "[model_providers.second]",
        "[model_providers.tee.ratls_policy.expected_bootchain]",
        "[model_providers.tee.http_headers]",
        "[[model_providers]]",
        "[profile.work]",
    ],
)
@pytest.mark.parametrize("behind", ["", "\n\n# more\n[model_providers.other]\nname = 'Other'\n"])
def test_a_header_that_is_not_closed_is_one_error_and_nothing_else(
    header: str, behind: str
) -> None:
    before = POLICY + "pccs_url = 'https://pccs.example'\n\n"
    known = check(read(before + behind), Context())
    for end in range(1, header.index("]") + 1):
        found = check(read(f"{before}{header[:end]}{behind}"), Context())
        (typing,) = (each for each in found if each.code == "toml-syntax")
        assert typing.span == Span(len(before), len(before) + end)
        others = [each.message for each in found if each is not typing]
        assert others == [each.message for each in known]


@pytest.mark.parametrize(
    "typed", ["[", "[]", "[model_providers", "[model_providers.]", "[[", "[a b]"]
)
def test_what_stands_under_a_header_that_cannot_be_read_is_in_doubt(typed: str) -> None:
    for line in (f'mrtd = "{HEX}"', "a", 'b = "c"', "# d\n\n e"):
        assert read(f"{PLAIN}\n{typed}\n{line}\n").providers["tee"].provider is None


UNKNOWN_ELSEWHERE = {
    "a key of a newer Codex": PLAIN + "frobnicate = 1",
    "providers by almost that name, of others": PLAIN + "[model_provider.cloud]\nname = 'Cloud'",
    "a word of a policy, at home elsewhere": PLAIN + "[mcp_servers.tee.env]\npccs_url = 'x'",
    "keys of a newer Codex in another": PLAIN
    + "[model_providers.new]\nbase_url = 'https://new.example/v1'\nretry_policy.most = 3\n"
    + "key_type = 'a'\nstatuses = [1]\nimage_hash = 'b'\nattestation = {}",
    "an id that is almost a word of a policy, not written yet": PLAIN
    + "[model_providers.ratls]\nname = 'x'\n[model_providers.ratls_polis]\nname = 'x'",
    "a policy that is turned off": PLAIN
    + "[model_providers.off]\nbase_url = 'https://off.example/v1'\nuse_ratls = false\n"
    + f'[model_providers.off.ratls_policy]\ncompose_hash = "{HEX[:64]}"',
    "another policy of Codex": PLAIN + "[approval_policy.granular]\nrules = true",
}


@pytest.mark.parametrize("text", UNKNOWN_ELSEWHERE.values(), ids=list(UNKNOWN_ELSEWHERE))
def test_what_can_be_no_policy_of_this_one_does_not_matter(text: str) -> None:
    assert read(text).providers["tee"].provider is not None


@pytest.mark.parametrize(
    ("over", "pinned"),
    [
        ("stream_idle_timeout_ms = 600000", True),
        ('base_url = "https://staging.example"', True),
        ("use_ratls = false", None),
        ("ratls_policy.frobnicate = 1", None),
        ('ratls_policy.allowed_tdx_status = ["OutOfDate"]', None),
        ('base_url = "http://tee.example"', None),
    ],
)
def test_a_profile_has_the_policy_that_it_is_laid_over(over: str, pinned: bool | None) -> None:
    base = base_of(read(POLICY + f'compose_hash = "{HEX[:64]}"\n'))
    file = read(f"[model_providers.tee]\n{over}\n", base=base)
    provider = file.providers["tee"].provider
    assert (bool(provider.policy.pins) if provider is not None else None) is pinned
    unchanged = read(file.text, file, base).parts[0][1]
    assert unchanged is file.parts[0][1]
    other = base_of(read(PLAIN))
    assert bool(pinned) is (read(file.text, file, other).providers["tee"].provider is not None)


IDENTITY = 'name = "TEE"', 'base_url = "https://tee.example"', "use_ratls = true"
SETTINGS = (
    *('env_key = "KEY"', 'http_headers.A = "b"', "request_max_retries = 1"),
    'ratls_policy.allowed_tdx_status = ["UpToDate"]',
    f'ratls_policy.compose_hash = "{HEX[:64]}"',
    f'ratls_policy.expected_bootchain.mrtd = "{HEX}"',
)


def test_it_does_not_matter_which_of_both_has_a_setting() -> None:
    settings = [f"model_providers.tee.{setting}\n" for setting in SETTINGS]
    identity = [f"model_providers.tee.{setting}\n" for setting in IDENTITY]
    whole = read("".join((*identity, *settings))).providers["tee"].provider
    assert whole is not None
    for chosen in range(1, 2 ** len(settings)):
        own = [line for index, line in enumerate(settings) if chosen >> index & 1]
        below = [line for line in settings if line not in own]
        file = read("".join(own), base=base_of(read("".join((*identity, *below)))))
        assert file.providers["tee"].provider == whole
        assert not [each for each in check(file) if each.severity is Severity.ERROR]


OF_A_BASE = (
    *("frobnicate = 1", "use_rtls = true", "use_ratls = 1", "use_ratls = false", "name = 1"),
    *('base_url = "http://tee.example"', "ratls_policy.frobnicate = 1", 'ratls_policy = "strict"'),
    'ratls_policy.allowed_tdx_status = ["OutOfDate"]',
)


@pytest.mark.parametrize("own", OF_A_BASE)
@pytest.mark.parametrize("below", OF_A_BASE)
def test_whatever_keeps_a_profile_from_being_attested_is_an_error_in_it(
    own: str, below: str
) -> None:
    for kept in range(2 ** len(IDENTITY)):
        lines = [line for index, line in enumerate(IDENTITY) if kept >> index & 1]
        others = [line for line in IDENTITY if line not in lines]
        base = base_of(read(_under("tee", *lines, below)))
        for text in (_under("tee", *others, own), _under("tee", *others, "env_key = 'KEY'")):
            file = read(text, base=base)
            table = file.providers["tee"]
            found = check(file, Context("profile", base=base))
            is_wrong = any(each.severity is Severity.ERROR for each in found)
            if table.attested:
                assert (table.provider is None) is is_wrong, text


def _under(id_: str, *settings: str) -> str:
    return f"[model_providers.{id_}]\n" + "\n".join(settings)


@pytest.mark.parametrize("broken", ["\nx =", "\n[ratls_policy]\ngrace_period = 1"])
def test_no_provider_over_a_base_that_is_in_doubt(broken: str) -> None:
    base = base_of(read(PLAIN + broken))
    file = read("[model_providers.tee]\nrequest_max_retries = 1", base=base)
    assert file.providers["tee"].provider is None


PINS = f'ratls_policy.compose_hash = "{HEX[:64]}"\n'
QUOTED, CUT = PLAIN.replace(".tee", '."a.b"'), PLAIN.replace(".tee", ".a.b")
UNDER_ALL = "[model_providers]\n" + _dotted("model_providers.tee")


@pytest.mark.parametrize("before", ["", "[model_providers]\n"])
@pytest.mark.parametrize(("one", "other"), [(QUOTED, CUT + PINS), (QUOTED + PINS, CUT)])
def test_an_id_in_quotes_and_cut_by_its_dot_is_not_attested_without_the_pins_of_either(
    before: str, one: str, other: str
) -> None:
    for text in (one + other, other + one):
        (table,) = (each for each in read(before + text).providers.values() if each.id == "a.b")
        assert table.provider is None or table.provider.policy.pins


def test_it_moves_nothing_that_stands_beside_it() -> None:
    text = "# first\n" + QUOTED + CUT + CUT.replace(".b", ".c")
    for id_, table in read(text).providers.items():
        assert table.span.of(text) in (f"[model_providers.{id_}]", f'[model_providers."{id_}"]')


@pytest.mark.parametrize("base", [QUOTED + PINS + CUT, CUT + QUOTED + PINS, CUT, UNDER_ALL])
def test_no_provider_over_a_base_with_an_id_that_a_dot_cuts(base: str) -> None:
    for id_ in ("a.b", "tee"):
        profile = PLAIN.replace(".tee", f'."{id_}"')
        assert read(profile, base=base_of(read(base))).providers[id_].provider is None


def test_nor_beside_one_that_stands_under_model_providers_twice() -> None:
    for text in (UNDER_ALL + PLAIN, PLAIN + UNDER_ALL):
        assert read(text).providers["tee"].provider is None


@pytest.mark.parametrize(
    "elsewhere",
    ["[other]\na = ", "[other\na = 1", "[model_providers.plain]\nname = ", "[[other]]\n[other]"],
)
def test_what_is_broken_elsewhere_does_not_matter(elsewhere: str) -> None:
    for text in (f"{PLAIN}\n{elsewhere}", f"{elsewhere}\n\n{PLAIN}"):
        assert read(text).providers["tee"].provider is not None


def test_no_repr_and_no_message_shows_a_secret() -> None:
    text = f"""{PLAIN}experimental_bearer_token = "canary-1"
http_headers = {{ Authorization = "canary-2", Cookie = 7777 }}
query_params = {{ key = "canary-3" }}
env_key = "canary-4"
env_http_headers = {{ X-A = "canary-6", X-B = "canary7", X-C = "CANARY8CANARY9" }}

[model_providers.other]
experimental_bearer_token = canary-5
env_key = "canary9"
"""
    file = read(text)
    problems = check(file, Context(environment=frozenset()))
    for shown in (file, file.root, file.providers, file.parts, file.document, problems):
        assert "canary" not in repr(shown).lower()
        assert "7777" not in repr(shown)


def test_where_things_stand() -> None:
    text = f"""\
# ключ 🦀
model_provider = "tee"
profiles.work = {{ model_provider = 'tee', oss_provider = "ollama" }}

{POLICY}allowed_tdx_status = ["UpToDate"]
min_tdx_tcb.mrseam = "{HEX}"
"""
    file = read(text)
    table = file.providers["tee"]
    assert table.span.of(text) == "[model_providers.tee]"
    assert [span.of(text) for span in table.id_spans] == ["tee", "tee"]
    assert {key: span.of(text) for key, span in table.policy_spans.items()} == {
        "allowed_tdx_status": 'allowed_tdx_status = ["UpToDate"]',
        "min_tdx_tcb": f'min_tdx_tcb.mrseam = "{HEX}"',
        "min_tdx_tcb.mrseam": f'min_tdx_tcb.mrseam = "{HEX}"',
    }
    assert [(r.id, r.span.of(text), r.path) for r in file.references] == [
        ("tee", '"tee"', ("model_provider",)),
        ("tee", "'tee'", ("profiles", "work", "model_provider")),
        ("ollama", '"ollama"', ("profiles", "work", "oss_provider")),
    ]


@pytest.mark.parametrize(
    ("text", "served"),
    [(PLAIN, True), ("[model_providers]", True), ('model = "m"', False), ("", False)],
)
def test_a_codex_config_has_model_providers(text: str, served: bool) -> None:
    assert read(text).is_codex_config is served


def test_what_another_file_defines_is_remembered_with_no_table() -> None:
    file = read(PLAIN)
    for index in range(3):
        other = read(PLAIN.replace("model_providers.tee", f"model_providers.t{index}"))
        check(file, Context("profile", base=base_of(other)))
    assert [len(part.contextual) for _, part in file.parts] == [1]
