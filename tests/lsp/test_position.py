from __future__ import annotations

from typing import Any

import pytest

from ratls_ls.lsp.position import PositionParams

DOCUMENT = {"uri": "file:///config.toml"}


def test_a_place_is_taken_whole() -> None:
    params = {"textDocument": DOCUMENT, "position": {"line": 1, "character": 2}, "context": {}}
    assert PositionParams.parse(params) == ("file:///config.toml", 1, 2)


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        {"position": {"line": 0, "character": 0}},
        {"textDocument": DOCUMENT},
        {"textDocument": DOCUMENT, "position": None},
        {"textDocument": DOCUMENT, "position": {"line": 0}},
        {"textDocument": DOCUMENT, "position": {"line": "0", "character": 0}},
        {"textDocument": DOCUMENT, "position": {"line": 0, "character": True}},
        {"textDocument": {"uri": 1}, "position": {"line": 0, "character": 0}},
    ],
)
def test_what_is_no_place_is_refused(params: Any) -> None:
    with pytest.raises((KeyError, TypeError)):
        PositionParams.parse(params)
