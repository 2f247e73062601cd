"""docs/editors.md: what it tells people to write into their configurations can be read, starts
the server, and holds settings that there are. The tests of the editors run what they can."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ratls_ls import settings
from tests.editors.world import code_blocks

DOCUMENT = Path(__file__).parents[1] / "docs" / "editors.md"
READERS: dict[str, Callable[[str], Any]] = {"json": json.loads, "toml": tomllib.loads}
BLOCKS = [read(text) for name, read in READERS.items() for text in code_blocks(DOCUMENT, name)]


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, itself included."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)


@pytest.mark.parametrize("block", BLOCKS)
def test_configurations(block: object) -> None:
    objects = list(_objects(block))
    assert "--stdio" in json.dumps(block)
    sections = [found for found in objects if "attestation" in found] + [
        {"attestation": {"trigger": found["ratls.attestation.trigger"]}}
        for found in objects
        if "ratls.attestation.trigger" in found
    ]
    assert sections
    for section in sections:
        parsed = settings.parse(section)
        assert not parsed.complaints
        assert parsed.trigger is settings.Trigger.MANUAL
