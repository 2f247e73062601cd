"""Nothing of a policy is lost, wherever it stands; and what is another program's is no policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ratls_ls.config.check import check
from ratls_ls.config.keys import RATLS_POLICY, KeyModel, Kind
from ratls_ls.config.problem import Severity
from ratls_ls.config.read import read
from ratls_ls.rats.policy import Pin

PLAIN = """\
[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
env_key = "TEE_KEY"
use_ratls = true

[model_providers.plain]
name = "Plain"
base_url = "https://plain.example/v1"
"""
NAMED_BY_OTHERS = (
    "[mcp_servers.docs.env]",
    "[mcp_servers.docs.http_headers]",
    "[mcp_servers.docs.env_http_headers]",
    "[otel.exporter.otlp-http.headers]",
    "[shell_environment_policy.set]",
    "[profiles.work.shell_environment_policy.set]",
    "[model_providers.plain.http_headers]",
    "[model_providers.plain.env_http_headers]",
    "[model_providers.plain.query_params]",
    *(f"[model_providers.plain.{name}]" for name in ("headers", "extra_headers", "http_header")),
    *(f"[model_providers.plain.{name}]" for name in ("env_http_header", "query", "params")),
    "[model_providers.tee.http_headers]",
)
TABLES = (
    *("[features]", "[tui]", "[tools]", "[otel]", "[history]", "[hooks]", "[memories]", "[notice]"),
    *("[analytics]", "[agents]", "[agents.reviewer]", "[apps.mail]", "[audio]", "[feedback]"),
    *("[marketplaces.own]", "[mcp_servers]", "[mcp_servers.docs]", "[mcp_servers.docs.tools.look]"),
    *("[mcp_servers.docs.oauth]", "[notice.model_migrations]", "[otel.exporter.otlp-http.tls]"),
    *("[permissions.strict]", '[plugins."own@market"]', "[profiles]", "[profiles.work]"),
    *("[profiles.work.features]", '[projects."/home/me/work"]', "[sandbox_workspace_write]"),
    *("[shell_environment_policy]", "[tools.web_search]", "[tui.keymap]", "[windows]"),
    *("[[hooks.pre]]", "[[hooks.pre.hooks]]", "[[skills.config]]", "[[x]]", "[x.y.z]"),
    *("[model_providers]", "[model_providers.te]", "[model_provider.tee]", "[modelproviders.tee]"),
    *("[model_providers.plain.auth]", "[model_providers.plain.aws]", "[model_providers.plain.x]"),
    *("[model_providers.plain.capabilities]", "[[model_providers.plain.x]]", "[[profiles.w.x]]"),
    *NAMED_BY_OTHERS,
)
BEFORE = read(PLAIN)
HEX = "00112233445566778899aabbccddeeff" * 3
COMMON = ("tee_type", "pccs_url", "grace_period")


def _leaves(model: KeyModel, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every key under `model` that is no table, with a value."""
    for child in model.children:
        own = (*path, child.name)
        match child.kind:
            case Kind.TABLE:
                yield from _leaves(child, own)
            case Kind.HEX:
                yield own, f'"{HEX[: 2 * (child.size or 0)]}"'
            case Kind.INTEGER:
                yield own, "86400"
            case Kind.STRING_LIST:
                yield own, '["UpToDate"]'
            case _:
                yield own, f"'{{\"{child.name}\": 1}}'"


KEYS = tuple(_leaves(RATLS_POLICY, (RATLS_POLICY.name,)))


def _slips(name: str) -> Iterator[tuple[str, bool]]:
    """Spellings of `name`, and whether its letters are the same as before."""
    middle = len(name) // 2
    yield name, True
    yield name.replace("_", "-"), True
    yield name.upper(), True
    first, *others = name.split("_")
    yield first + "".join(map(str.title, others)), True
    yield name[:middle] + name[middle + 1 :], False
    yield name[:middle] + name[middle] + name[middle:], False
    yield name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :], False


def _lines(path: tuple[str, ...], value: str) -> Iterator[str]:
    """A key at each place that it may have been cut off at, with each slip in what is left."""
    for start in range(len(path)):
        outer, *inner = path[start:]
        for slipped, same_letters in _slips(outer):
            # A word that others have too counts as it is; numbers of seconds say more.
            if not inner and not same_letters and outer in COMMON and outer != "grace_period":
                continue
            yield ".".join((slipped, *inner)) + f" = {value}"
        if inner:
            yield f'"{".".join(path[start:])}" = {value}'
            yield f"{outer} = {{ {'.'.join(inner)} = {value} }}"
            yield f"a = [[], [{{ {'.'.join(path[start:])} = {value} }}]]"


def _may_be_others(table: str, line: str) -> bool:
    """Whether a variable, header or parameter may be called so."""
    name, value = line.split(" = ", 1)
    of_others = name != name.lower() or "-" in name or name in COMMON
    return table in NAMED_BY_OTHERS and value[0] in "\"'" and "." not in name and of_others


def assert_nobody_is_attested(text: str, line: str) -> None:
    file = read(text, BEFORE)
    assert not [table.id for table in file.providers.values() if table.provider], text
    errors = [problem for problem in check(file) if problem.severity is Severity.ERROR]
    at = text.index(line)
    assert any(at <= problem.span.start < at + len(line) for problem in errors), text


@pytest.mark.parametrize("table", TABLES)
def test_no_part_of_a_policy_is_lost_in_a_table_of_codex(table: str) -> None:
    for path, value in KEYS:
        for line in _lines(path, value):
            if not _may_be_others(table, line):
                assert_nobody_is_attested(f"{PLAIN}\n{table}\n{line}\n", line)


def test_nor_at_the_top() -> None:
    for path, value in KEYS:
        for line in _lines(path, value):
            assert_nobody_is_attested(f"{line}\n{PLAIN}", line)


STRICT = f"""\
[model_providers.tee.ratls_policy]
tee_type = "Tdx"
compose_hash = "{HEX[:64]}"
[model_providers.tee.ratls_policy.expected_bootchain]
mrtd = "{HEX}"
"""


def _line_slips(line: str) -> Iterator[str]:
    """A line left out, written twice, cut, with other names in it or without some of them."""
    yield from ("", f"# {line}", f"{line}\n{line}", line[:-1], f"{line}]", f"[{line}")
    for dot in ("", "_", "-", " "):
        yield line.replace(".", dot, 1)
    for old, new in (
        *(("tee", "te"), ("tee", "plain"), ("model_providers.", ""), ("tee.", ""), ("tee]", "]")),
        *((".ratls_policy", ""), (".ratls_policy", ".policy"), (".expected_bootchain", "")),
    ):
        yield line.replace(old, new)


@pytest.mark.parametrize("table", ["[tui]", "[mcp_servers.docs.env]", "[model_providers.plain.x]"])
def test_no_slip_in_a_line_loses_a_pin(table: str) -> None:
    lines = f"{PLAIN}{table}\na = 'b'\n{STRICT}".splitlines()
    assert len(_pins("\n".join(lines)) or ()) == 2
    for index, line in enumerate(lines):
        for slipped in _line_slips(line) if HEX[:64] not in line else ():
            text = "\n".join((*lines[:index], slipped, *lines[index + 1 :]))
            assert _pins(text) in (None, _pins("\n".join(lines))), text


def _pins(text: str) -> tuple[Pin, ...] | None:
    """Those of the one provider that is attested; None if there is none."""
    attested = [table.provider for table in read(text, BEFORE).providers.values() if table.provider]
    return attested[0].policy.pins if attested else None


@pytest.mark.parametrize("table", TABLES)
def test_a_lost_policy_is_one_error(table: str) -> None:
    line = f'ratls_policy.expected_bootchain.mrtd = "{HEX}"'
    text = f"{PLAIN}\n{table}\n{line}\n"
    at = text.index(line)
    errors = [problem for problem in check(read(text)) if problem.severity is Severity.ERROR]
    assert len([problem for problem in errors if problem.span.start >= at]) == 1, errors


SWITCHES = (
    *("use_ratls = true", "use_ratls = false", 'use_ratls = "true"', "use-ratls = true"),
    *("USE_RATLS = true", "useRatls = true", "use_ratl = true", "use_rattls = true"),
    *("ratls = true", "enable_ratls = true", "use_ratls = 1"),
)


# Where the header is what is wrong, and is told.
MISSPELT = ("[model_provider.tee]", "[modelproviders.tee]")


@pytest.mark.parametrize("table", MISSPELT)
def test_under_a_misspelt_header_the_switch_is_no_further_error(table: str) -> None:
    text = f"{PLAIN}\n{table}\nuse_ratls = true\n"
    errors = [each for each in check(read(text)) if each.severity is Severity.ERROR]
    assert [each.span.start for each in errors] == [text.index(table) + 1]


@pytest.mark.parametrize("table", sorted({*TABLES} - {"[model_providers.te]", *MISSPELT}))
def test_the_switch_in_a_table_of_codex_is_one_error_that_no_quotes_mend(table: str) -> None:
    for line in SWITCHES:
        text = f"{PLAIN}\n{table}\n{line}\n"
        found = [each for each in check(read(text)) if each.span.start >= text.rindex(line)]
        (error,) = (each for each in found if each.severity is Severity.ERROR)
        assert error.code == "misplaced-table"
        assert error.span.of(text) == line.split(" = ", maxsplit=1)[0]
        assert not [fix for each in found for fix in each.fixes]


@pytest.mark.parametrize("table", TABLES)
def test_a_provider_selected_where_nobody_reads_it_is_one_error(table: str) -> None:
    names = ["model_provider", "model_providor", "model-provider", "Model_Provider"]
    for name in names[:1] if table in NAMED_BY_OTHERS else names:
        if (table, name) == ("[profiles.work]", "model_provider"):
            continue
        text = f'{PLAIN}\n{table}\n{name} = "tee"\n'
        errors = [each for each in check(read(text)) if each.severity is Severity.ERROR]
        assert name in [error.span.of(text) for error in errors], text
        assert not [each for each in errors if each.span.start > text.rindex(name)]


OF_OTHERS = """\
model_provider = "tee"
approval_policy = "on-request"
profile = "ratls"
notify = ["notify-send", "ratls_policy"]

[profiles.ratls]
model_provider = "tee"

[profiles.ratls_policy]
model = "m"

[mcp_servers.dstack]
command = "dstack-mcp"
args = ["--compose_hash", "mrtd"]
env_vars = ["COMPOSE_HASH", "MRTD"]
enabled_tools = ["compose_hash", "ratls_policy"]
startup_timeout_sec = 20

[mcp_servers.dstack.env]
PCCS_URL = "https://pccs.example"
pccs_url = "https://pccs.example"
RATLS_POLICY = "/etc/policy.json"
USE_RATLS = "1"
ratls = "1"
COMPOSE_HASH = "00112233445566778899aabbccddeeff"
MRTD = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
RTMR0 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
OS_IMAGE_HASH = "00112233445566778899aabbccddeeff"
grace_period = "5"
tee_type = "tdx"
policy = "strict"
provider = "tee"

[mcp_servers.dstack.tools.compose_hash]
approval_mode = "approve"

[mcp_servers.app_compose]
url = "https://compose.example/mcp"
http_headers = { X-Compose-Hash = "00", compose-hash = "00", X-RATLS-Policy = "a" }
scopes = ["attestation"]

[mcp_servers.ratls]
command = "ratls-mcp"

[mcp_servers.ratls_policy]
command = "policy-mcp"

[features]
attestation = true
remote_attestation = true
image_hash = true
use_tls = true
use_rustls = true
mcp_url = true

[tools]
web_search = true
policy = "strict"
retry_policy = { max = 3 }
tls_policy = { min = "1.3" }
rate_policy = "slow"
image_hash = "00112233445566778899aabbccddeeff"
acs_url = "https://sso.example/acs"
docs_url = "https://docs.example"
trace_period = "5s"
node_type = "a"
tree_type = "a"
mrtg = "graph"
rtmp = "rtmp://live.example"
stream = "on"
seam = "00112233445566778899aabbccddeeff"

[shell_environment_policy]
inherit = "core"
include_only = ["PATH", "MRTD"]

[shell_environment_policy.set]
MRSEAM = "00112233445566778899aabbccddeeff"
APP_COMPOSE = "/etc/app-compose.json"
MODEL_PROVIDER = "tee"
provider = "tee"

[projects."/home/me/app_compose"]
trust_level = "trusted"

[projects."/home/me/ratls_policy"]
trust_level = "trusted"

[[hooks.pre_tool_use]]
matcher = "compose_hash"

[[hooks.pre_tool_use.hooks]]
type = "command"
command = "check-policy --mrtd"
timeout = 5

[otel]
environment = "tee"
exporter = { otlp-http = { endpoint = "https://o.example", headers = { x-policy = "a" } } }

[plugins."ratls@own"]
enabled = true

[plugins."ratls_policy@own"]
enabled = true

[agents.compose_hash]
config_file = "./compose.toml"

[tui]
status_line = ["model", "ratls"]

[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
env_key = "TEE_KEY"
use_ratls = true
http_headers = { X-Attestation-Policy = "strict", Compose-Hash = "00", tee_type = "tdx" }
query_params = { api-version = "1", pccs_url = "https://pccs.example", policy = "a" }
extra_headers = { X-Attestation-Policy = "strict", Compose-Hash = "00", tee_type = "tdx" }
"""


def test_what_is_another_programs_is_no_policy() -> None:
    file = read(OF_OTHERS)
    assert not [problem for problem in check(file) if problem.severity is Severity.ERROR]
    assert file.providers["tee"].provider is not None
