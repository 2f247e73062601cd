"""`editor/vscode/src/methods.ts` says the same as `ratls_ls/lsp/methods.py`."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from ratls_ls.lsp import methods
from ratls_ls.lsp.params import AttestedRequestParams
from ratls_ls.rats.result import ClaimName, ClaimVerdict
from ratls_ls.status import State

MIRROR = (Path(__file__).parents[1] / "editor/vscode/src/methods.ts").read_text("utf-8")


def test_names_and_codes_are_the_same() -> None:
    constants = dict(re.findall(r'export const (\w+) = "?([^";]+)"?;', MIRROR))
    names = {name for name in constants if hasattr(methods, name)}
    assert names == set(constants)
    for name in names:
        assert str(getattr(methods, name)) == constants[name], name
    ours = {name for name in vars(methods) if name.isupper() and not name.startswith("_")}
    assert ours == names


def test_words_are_the_same() -> None:
    def union(name: str) -> set[str]:
        declared = re.search(rf"export type {name} =([^;]+);", MIRROR)
        assert declared is not None
        return set(re.findall(r'"([\w-]+)"', declared[1]))

    assert union("State") == {state.value for state in State}
    assert union("ClaimName") == {name.value for name in ClaimName}
    assert union("ClaimVerdict") == {verdict.value for verdict in ClaimVerdict}


def test_parameters_are_the_same() -> None:
    declared = re.search(r"interface AttestedRequestParams \{(.*?)\n\}", MIRROR, re.DOTALL)
    assert declared is not None
    names = set(re.findall(r"^\s+(\w+)\??:", declared[1], re.MULTILINE))
    camel = {
        re.sub(r"_(\w)", lambda found: found[1].upper(), field.name)
        for field in fields(AttestedRequestParams)
    }
    # The body has three spellings, of which its type follows.
    assert names - {"bodyText", "bodyBase64"} == camel - {"contentType"}
