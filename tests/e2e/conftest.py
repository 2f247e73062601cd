"""Fixtures of the tests of the whole server."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's home, with the directory of Codex."""
    (tmp_path / ".codex").mkdir()
    return tmp_path
