"""Real quotes, collateral and event logs from public repositories, beside the project.

They are data only and stay where they are; tests that need them say so when they are absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

DIRECTORY = Path(__file__).parents[2] / "shared" / "vectors"

needed = pytest.mark.skipif(
    not DIRECTORY.is_dir(), reason="needs ../shared/vectors, which is not beside this checkout"
)


@dataclass(frozen=True)
class Vector:
    """One real quote. `collaterals`: (file, recorded status or error, Unix seconds)."""

    directory: Path

    @property
    def name(self) -> str:
        return self.directory.name

    @cached_property
    def meta(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.directory / "meta.json").read_text("utf-8"))
        return loaded

    @property
    def quote(self) -> bytes:
        return (self.directory / "quote.bin").read_bytes()

    @property
    def event_log(self) -> str | None:
        file = self.directory / "event_log.json"
        return file.read_text("utf-8") if file.exists() else None

    @property
    def collaterals(self) -> list[dict[str, Any]]:
        return [entry for entry in self.meta.get("collaterals", []) if entry.get("file")]


def vectors() -> Iterator[Vector]:
    if DIRECTORY.is_dir():
        for directory in sorted((DIRECTORY / "real").iterdir()):
            yield Vector(directory)


def edited_logs() -> list[Path]:
    return sorted((DIRECTORY / "event_logs").glob("*.json")) if DIRECTORY.is_dir() else []
