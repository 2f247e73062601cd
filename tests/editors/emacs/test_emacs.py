"""Emacs with Eglot, set up as docs/editors.md says. `make test-emacs` installs both."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.editors.world import ROOT, code_blocks, world
from tests.session.world import play, replaying

SCENARIOS = Path(__file__).parent / "scenarios.el"


async def test_scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(tmp_path) as user:
        play(user.attacked, monkeypatch, replaying)
        snippet = tmp_path / "snippet.el"
        (text,) = code_blocks(ROOT / "docs" / "editors.md", "elisp")
        snippet.write_text(text, "utf-8")
        await user.run("emacs", "-Q", "--batch", "-l", SCENARIOS, SNIPPET=snippet)
        assert user.attacked.record.connections
        assert user.attacked.record.api_bytes == 0
