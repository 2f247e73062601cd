"""docs/protocol.md says what the code does: names, codes, fields, defaults, limits."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ratls_ls import settings
from ratls_ls.atls import sse
from ratls_ls.atls.errors import Step
from ratls_ls.config.problem import Severity
from ratls_ls.lsp import answer, methods, reader, writer
from ratls_ls.lsp.methods import MethodError
from ratls_ls.lsp.params import (
    DEFAULT_TIMEOUT_MS,
    MAX_TIMEOUT_MS,
    AttestationStatusParams,
    AttestedRequestParams,
)
from ratls_ls.rats.result import ChannelBindingType, ClaimName, ClaimVerdict
from ratls_ls.simulator import SimulatedProvider, serve
from ratls_ls.status import State
from tests.session.world import World, a_world, play, refused, replaying
from tests.typescript import interfaces, unions

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text("utf-8")
EXTENSION = ROOT / "editor" / "vscode"
README = (EXTENSION / "README.md").read_text("utf-8")
PROMPT = {"model": "simulated-llm", "input": "…", "stream": True}


class Interface(NamedTuple):
    """The fields of a TypeScript interface: which it always has, which it may have."""

    required: frozenset[str]
    optional: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        return self.required | self.optional

    def fits(self, value: Mapping[str, object]) -> bool:
        return self.required <= value.keys() <= self.all


def _table(heading: str, document: str = DOCUMENT, number: int = 0) -> list[list[str]]:
    """The rows of a table under a heading, the first if not said otherwise, cell by cell."""
    section = re.split(rf"^## {heading}$", document, flags=re.M)[1]
    tables = re.findall(r"^\|.*\|\n\| ?-.*\|\n((?:\|.*\|\n)+)", section.replace(r"\|", "¦"), re.M)
    return [
        [cell.strip().replace("¦", "|") for cell in row.strip("|").split("|")]
        for row in tables[number].splitlines()
    ]


def _union(name: str) -> set[str]:
    """The literals of a union type, or of one field of an interface (`Interface.field`)."""
    interface, _, field = name.partition(".")
    declared = DECLARED[interface][field].type if field else unions(DOCUMENT)[name]
    return set(re.findall(r'"([a-z-]+)"', declared))


def _constants(suffix: str) -> set[Any]:
    return {
        value
        for name, value in vars(methods).items()
        if name.isupper() and name[0] != "_" and name.endswith(suffix)
    }


DECLARED = interfaces(DOCUMENT)
INTERFACES = {
    name: Interface(
        frozenset(field for field, (optional, _) in fields.items() if not optional),
        frozenset(field for field, (optional, _) in fields.items() if optional),
    )
    for name, fields in DECLARED.items()
}


@pytest.fixture
async def provider() -> AsyncIterator[SimulatedProvider]:
    async with serve() as simulated:
        yield simulated


@pytest.fixture
async def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> AsyncIterator[World]:
    async with a_world(tmp_path, monkeypatch, trusting=[provider]) as made:
        made.open('model_provider = "tee"\n' + provider.config_toml("tee"))
        yield made


def test_methods_and_commands() -> None:
    described = set(re.findall(r"^\* method: `(.*)`$", DOCUMENT, re.M))
    commands = _constants("_COMMAND")
    names = {value for value in _constants("") if isinstance(value, str)} - commands
    assert described == names
    assert {row[0].strip("`") for row in _table("Commands")} == commands


def test_error_codes() -> None:
    rows = {int(row[0]): row[1] for row in _table("Errors")}
    codes = {
        name: value
        for name, value in vars(methods).items()
        if isinstance(value, int) and value < -32000
    }
    assert rows.keys() == set(codes.values())
    for name, code in codes.items():
        assert rows[code].lower() == name.replace("_", "").lower()


@pytest.mark.parametrize(
    ("interface", "parse"),
    [
        ("AttestedRequestParams", AttestedRequestParams.parse),
        ("AttestationStatusParams", AttestationStatusParams.parse),
    ],
)
def test_parameters(interface: str, parse: Any) -> None:
    """Each field described is looked at, by that name; each that is kept is described."""
    described = INTERFACES[interface]
    fitting = dict.fromkeys(described.required, "/x")
    parse(fitting)
    for field in described.required:
        with pytest.raises(MethodError, match=f"^{field}: "):
            parse({name: value for name, value in fitting.items() if name != field})
    for field in described.all:
        with pytest.raises(MethodError, match=f"^{field}: "):
            parse(fitting | {field: float("nan") if field == "body" else [1]})
    known = {_camel_case(name) for name in parse.__self__.__dataclass_fields__}
    assert known - {"contentType"} <= described.all


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def test_defaults_and_limits() -> None:
    limit = f"1 to {MAX_TIMEOUT_MS}. Default {DEFAULT_TIMEOUT_MS}."
    assert limit in DOCUMENT
    assert f"An answer that is not streamed: {_mebibytes(answer.MAX_COLLECTED_BYTES)}." in DOCUMENT
    assert f"One server-sent event: {_mebibytes(sse.MAX_EVENT_BYTES)}." in DOCUMENT
    assert f"One message of the client: {_mebibytes(reader.MAX_MESSAGE_BYTES)}." in DOCUMENT
    assert f"at most {_mebibytes(writer.MAX_QUEUED_BYTES)} of messages" in DOCUMENT


def _mebibytes(size: int) -> str:
    assert size % 2**20 == 0
    return f"{size // 2**20} MiB"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ProviderState", State),
        ("ClaimName", ClaimName),
        ("Claim.verdict", ClaimVerdict),
        ("AttestationResult.channelBinding", ChannelBindingType),
        ("Unreachable.step", Step),
        ("ConfigProblem.severity", Severity),
    ],
)
def test_enumerations(name: str, values: Iterable[str]) -> None:
    assert _union(name) == set(values)


def test_settings() -> None:
    rows = {row[0].strip("`"): row[2].strip("`") for row in _table("Settings")}
    assert len(rows) == len(settings.Settings.__dataclass_fields__) - 1  # less its complaints
    for path, default in rows.items():
        value = {"true": True, "false": False, "[]": []}.get(default)
        if value is None:
            value = default.strip('"') if default.startswith('"') else float(default)
        assert settings.parse(_nested(path, value)) == settings.Settings()
        assert not settings.parse(_nested(path, value)).complaints
        (complaint,) = settings.parse(_nested(path, {})).complaints
        assert complaint.startswith(f"ratls.{path}: ")


def test_the_extension_sets_what_the_server_would() -> None:
    """Its manifest goes before the server's defaults, for it sends every setting."""
    manifest = json.loads((EXTENSION / "package.json").read_text("utf-8"))
    declared = manifest["contributes"]["configuration"]["properties"]
    for name, kind, default, _ in _table("Settings"):
        path = name.strip("`")
        if path == "trusted":  # which is VS Code's own word
            continue
        setting = declared[f"ratls.{path}"]
        assert json.dumps(setting["default"]) == default.strip("`"), path
        first, *others = kind.strip("`").split(" | ")
        if others:
            assert setting["enum"] == [json.loads(value) for value in (first, *others)]
        else:
            assert setting["type"] == {"string[]": "array"}.get(first, first), path
    told = {
        name.strip("`"): (default.strip("`"), why)
        for name, default, why in _table("Settings", README)
    }
    assert told.keys() == declared.keys()
    for name, setting in declared.items():
        default, why = told[name]
        value = setting["default"]
        assert default == (
            value if isinstance(value, str) else json.dumps(value) * bool(value != [])
        )
        others = set(re.findall("`([^`]+)`", why)) if "enum" in setting else set()
        assert {*others, default} >= set(setting.get("enum", ()))


def test_the_extension_tells_other_extensions_of_every_error() -> None:
    ours = {code: data == "" for code, _, data, _ in _table("Errors")}
    told = _table("For other extensions", README, number=1)
    assert {code: data == "" for code, _, data in told} == ours


def _nested(path: str, value: object) -> object:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


async def test_results_have_the_fields_described(world: World) -> None:
    parts: list[Any] = []
    streamed = await world.request("tee", "/responses", body=PROMPT, parts=parts)
    collected = await world.request("tee", "/models")
    text = await world.request("tee", "/test/chunks", parts=parts)
    for result in (streamed, collected, text):
        assert INTERFACES["AttestedRequestResult"].fits(result)
        assert INTERFACES["RequestTimings"].fits(result["timings"])
        assert INTERFACES["AttestationResult"].fits(result["attestation"])
        assert all(INTERFACES["Claim"].fits(claim) for claim in result["attestation"]["claims"])
    for part in parts:
        kind = part["kind"].title()
        assert INTERFACES[f"AttestedRequest{kind}"].fits(part)
    assert {part["kind"] for part in parts} == {"head", "event", "chunk"}
    (status,) = await world.statuses(refresh=True)
    assert INTERFACES["ProviderStatus"].fits(status)
    assert status["default"] is True
    assert [claim["name"] for claim in status["result"]["claims"]] == list(ClaimName)


async def test_errors_have_the_data_described(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = {int(row[0]): row[2].strip("`") for row in _table("Errors")}

    async def check(code: int, **params: Any) -> None:
        error = await refused(world.request(**params))
        assert error.code == code
        name, is_list = re.subn(r"\[\]$", "", described[code])
        for item in error.data if is_list else [error.data]:
            assert INTERFACES[name].fits(item)

    await check(-32602, path="/..")
    await check(-32015, path="/test/cut")
    play(provider, monkeypatch, replaying)
    await provider.close_connections()
    await check(-32010)
    await provider.stop()
    await check(-32013)
    config = provider.config_toml("tee").replace("https://", "http://")
    world.open(config)
    await check(-32012)
    world.open(config.replace("use_ratls = true", "use_ratls = false"))
    await check(-32011)
