"""docs/editors.md: what it tells people to write into their configurations can be read, starts
the server, and takes nothing laxer from a project. The tests of the editors run what they can."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ratls_ls.cli.parser import parser
from tests.editors.world import code_blocks

DOCUMENT = Path(__file__).parents[1] / "docs" / "editors.md"
READERS: dict[str, Callable[[str], Any]] = {"json": json.loads, "toml": tomllib.loads}
BLOCKS = [read(text) for name, read in READERS.items() for text in code_blocks(DOCUMENT, name)]


def _lists(value: object) -> Iterator[list[Any]]:
    """Every list in a JSON value, itself included."""
    if isinstance(value, list):
        yield value
    for item in value.values() if isinstance(value, dict) else []:
        yield from _lists(item)


@pytest.mark.parametrize("block", BLOCKS)
def test_configurations(block: object) -> None:
    ((*_, first, second),) = (found for found in _lists(block) if "--stdio" in found)
    options = parser().parse_args([first, second])
    assert options.stdio
    assert options.only_stricter_settings
