"""The example clients, as somebody runs them who has nothing but the protocol's document."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ratls_ls.simulator import SimulatedProvider
from tests.session.world import play, replaying

from .editor import PATIENCE_SECONDS, configured, trust, user_environment

EXAMPLES = Path(__file__).parents[2] / "examples"
CLIENTS = {
    "python": [sys.executable, str(EXAMPLES / "client.py")],
    "node": ["node", str(EXAMPLES / "client.mjs")],
}
PROMPT = json.dumps({"model": "simulated-llm", "input": "Grüße 😀", "stream": True})


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[SimulatedProvider]:
    async with configured(tmp_path) as simulated:
        yield simulated


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> list[str]:
    return CLIENTS[request.param]


async def _run(
    client: list[str], home: Path, provider: SimulatedProvider, *arguments: str, told: str = ""
) -> tuple[int | None, str, str]:
    """Exit status, output and errors."""
    server = [sys.executable, "-m", "ratls_ls", *map(str, trust(provider, home))]
    process = await asyncio.create_subprocess_exec(
        *client,
        *arguments,
        env=user_environment(home) | {"RATLS_LS": shlex.join(server)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        output, errors = await process.communicate(told.encode("utf-8"))
    return process.returncode, output.decode("utf-8"), errors.decode("utf-8")


async def test_it_streams_an_answer(
    client: list[str], provider: SimulatedProvider, tmp_path: Path
) -> None:
    code, output, errors = await _run(client, tmp_path, provider, "tee", "/responses", told=PROMPT)
    assert (code, errors.splitlines()) == (
        0,
        [f"affirmed: https://localhost:{provider.port} (SIMULATED)", "HTTP 200"],
    )
    events = [json.loads(line) for line in output.splitlines()]
    assert events[-1]["type"] == "response.completed"
    assert len(events) > 10
    sent = next(known for known in provider.record.requests if not known.is_quote)
    assert json.loads(sent.body) == json.loads(PROMPT)


async def test_it_tells_of_a_refusal(
    client: list[str],
    provider: SimulatedProvider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play(provider, monkeypatch, replaying)
    code, output, errors = await _run(client, tmp_path, provider, "tee", "/responses", PROMPT)
    assert (code, output) == (1, "")
    assert "failed (-32010)" in errors
    assert provider.record.api_bytes == 0
