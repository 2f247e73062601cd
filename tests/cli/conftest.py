"""A simulated provider that the user's config has as "tee"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ratls_ls.simulator import SimulatedProvider
from tests.e2e.editor import configured, trust


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[SimulatedProvider]:
    async with configured(tmp_path) as simulated:
        yield simulated


@pytest.fixture
def trusting(provider: SimulatedProvider, tmp_path: Path) -> list[str | Path]:
    """The options that trust the provider."""
    return trust(provider, tmp_path)
