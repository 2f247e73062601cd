"""`editor/vscode/src/methods.ts` says the same as `ratls_ls/lsp/methods.py` and docs/protocol.md,
which `test_protocol_document.py` holds to what the server does."""

from __future__ import annotations

import re
from pathlib import Path

from ratls_ls.language.complete import ATTESTED
from ratls_ls.lsp import methods
from ratls_ls.rats.result import ClaimName, ClaimVerdict
from ratls_ls.status import State
from tests.typescript import Field, interfaces, unions

ROOT = Path(__file__).parents[1]
MIRROR = (ROOT / "editor/vscode/src/methods.ts").read_text("utf-8")
DOCUMENT = (ROOT / "docs/protocol.md").read_text("utf-8")
# Those that the extension looks into have a type where they are looked into.
DATA_OF_ERRORS = {"ConfigProblem", "Unreachable", "BrokenResponse", "InvalidParams"}
# The extension may find any server on the PATH.
NEWER_THAN_THE_FIRST_VERSION = {"AttestationStatusResult.defaults"}
TYPES = {
    "DocumentUri": "string",
    "LSPAny": "unknown",
    "ProgressToken": "string | number",
    "uinteger": "number",
    "integer": "number",
    "{ [name: string]: string }": "Record<string, string>",
}


def test_names_and_codes_are_the_same() -> None:
    constants = dict(re.findall(r'export const (\w+) = "?([^";]+)"?;', MIRROR))
    names = {name for name in constants if hasattr(methods, name)}
    assert names == set(constants)
    for name in names:
        assert str(getattr(methods, name)) == constants[name], name
    ours = {name for name in vars(methods) if name.isupper() and not name.startswith("_")}
    assert ours == names


def test_words_are_the_same() -> None:
    declared = unions(MIRROR)
    for name, values in (
        ("State", State),
        ("ClaimName", ClaimName),
        ("ClaimVerdict", ClaimVerdict),
    ):
        assert set(re.findall(r'"([\w-]+)"', declared[name])) == set(values)


def test_every_field_is_as_the_protocol_has_it() -> None:
    described = interfaces(DOCUMENT)
    ours = interfaces(MIRROR)
    assert ours.keys() == described.keys() - DATA_OF_ERRORS | {"Range"}
    for name in ours.keys() & described.keys():
        expected = {
            field: Field(optional or f"{name}.{field}" in NEWER_THAN_THE_FIRST_VERSION, _here(kind))
            for field, (optional, kind) in described[name].items()
        }
        assert ours[name] == expected, name
    parts, described_parts = (
        unions(text)["AttestedRequestPart"].split(" | ") for text in (MIRROR, DOCUMENT)
    )
    assert parts == described_parts


def test_a_new_provider_is_the_same() -> None:
    """In the extension, which has no server yet when it writes one, and in completion."""
    source = (ROOT / "editor/vscode/src/config_file.ts").read_text("utf-8")
    snippet = re.search(r"const NEW_PROVIDER = `(.*?)`;", source, re.DOTALL)
    assert snippet is not None
    assert snippet[1].replace("\\$", "$") == ATTESTED


def _here(kind: str) -> str:
    """A type of the protocol as the extension has it."""
    for theirs, here in TYPES.items():
        kind = kind.replace(theirs, here)
    return kind
