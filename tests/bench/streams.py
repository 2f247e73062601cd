"""Server-sent events a second, each written on its own as models do, as fast as the provider in its
own process makes them: through the server's stdio as `$/progress`, against httpx alone reading
lines. Both take turns.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import time
from pathlib import Path

import httpx

from tests.e2e.raw import RawServer, raw_server

from .provider import ID, provider
from .table import Row, medians

_EVENT = b'"kind":"event"'
_OVERLAP = len(_EVENT) - 1  # one may be cut in two
_READ_BYTES = 1 << 20


def measure(*, smoke: bool) -> list[Row]:
    rounds, events = (1, 2_000) if smoke else (7, 20_000)
    with tempfile.TemporaryDirectory() as directory:
        pairs = asyncio.run(_pairs(Path(directory), rounds, events))
    ours, plain = medians(pairs)
    aim, met = "ratio ≥ 0.5", ours >= 0.5 * plain
    return [Row("events of a stream", ours, "httpx", plain, "a second", aim, met)]


async def _pairs(home: Path, rounds: int, events: int) -> list[tuple[float, float]]:
    path = f"/test/events?count={events}"
    async with provider(home) as simulated, raw_server(home, simulated.trust) as server:
        context = ssl.create_default_context(cafile=simulated.ca_file)
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            pairs = []
            for _ in range(rounds + 1):
                started = time.perf_counter()
                assert await _through(server, path) == events + 1
                between = time.perf_counter()
                assert await _alone(client, simulated.base_url + path) == events + 1
                ended = time.perf_counter()
                pairs.append((events / (between - started), events / (ended - between)))
    return pairs[1:]


async def _through(server: RawServer, path: str) -> int:
    """How many events came before the answer."""
    path, _, count = path.partition("?count=")
    params = {"provider": ID, "path": path, "query": {"count": count}, "partialResultToken": 1}
    server.send({"id": 1, "method": "attestedRequest", "params": params})
    assert server.process.stdout is not None
    events, rest = 0, b""
    while b'"complete"' not in rest:
        rest = rest[-_OVERLAP:] + await server.process.stdout.read(_READ_BYTES)
        events += rest.count(_EVENT)
    return events


async def _alone(client: httpx.AsyncClient, url: str) -> int:
    async with client.stream("GET", url) as response:
        return sum([line.startswith("data:") async for line in response.aiter_lines()])
