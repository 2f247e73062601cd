"""A simulated provider that the user's config has as "tee"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ratls_ls.simulator import SimulatedProvider, serve
from tests.e2e.editor import trust


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[SimulatedProvider]:
    async with serve() as simulated:
        config = tmp_path / ".codex" / "config.toml"
        config.parent.mkdir()
        config.write_text(simulated.config_toml("tee"), "utf-8")
        yield simulated


@pytest.fixture
def trusting(provider: SimulatedProvider, tmp_path: Path) -> list[str | Path]:
    """The options that trust the provider."""
    return trust(provider, tmp_path)
