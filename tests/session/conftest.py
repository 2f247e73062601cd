"""Fixtures of the session's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ratls_ls.simulator import SimulatedProvider, serve

from .world import World, a_world


@pytest.fixture
async def provider() -> AsyncIterator[SimulatedProvider]:
    async with serve() as simulated:
        yield simulated


@pytest.fixture
async def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> AsyncIterator[World]:
    """A session that trusts `provider`, with default settings; nothing is open."""
    async with a_world(tmp_path, monkeypatch, trusting=[provider]) as made:
        yield made
