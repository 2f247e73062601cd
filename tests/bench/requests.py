"""`attestedRequest` over the stdio of the server on a warm attested connection, against httpx over
TLS on a warm one to the same provider, which runs in a process of its own. Both take turns.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx

from tests.e2e.raw import raw_server

from .provider import ID, provider
from .table import Row, medians


def measure(*, smoke: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as directory:
        pairs = asyncio.run(_pairs(Path(directory), 20 if smoke else 500))
    ours, plain = medians(pairs)
    aim, met = "adds under 2 ms", ours - plain < 2
    return [Row("warm request", ours, "httpx", plain, aim=aim, met=met)]


async def _pairs(home: Path, times: int) -> list[tuple[float, float]]:
    params = {"provider": ID, "path": "/models"}
    async with provider(home) as simulated, raw_server(home, simulated.trust) as server:
        context = ssl.create_default_context(cafile=simulated.ca_file)
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:

            async def ours() -> None:
                server.send({"id": 1, "method": "attestedRequest", "params": params})
                answer = await server.answer(1)
                assert answer["result"]["body"]["object"] == "list"

            async def plain() -> None:
                answer = await client.get(f"{simulated.base_url}/models")
                assert answer.json()["object"] == "list"

            # The first of each connects.
            return [(await _timed(ours), await _timed(plain)) for _ in range(times + 1)][1:]


async def _timed(work: Callable[[], Awaitable[None]]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000
