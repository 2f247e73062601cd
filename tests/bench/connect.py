"""The first request over a new connection with twenty milliseconds of round trip and collateral in
the cache: attested, against httpx. A relay on loopback holds every byte back by half of that, each
way, and counts how often the client waits for the server. The handshake of TCP, which is the same
for both, does not count and takes no time.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from ratls_ls.simulator import serve
from tests.e2e.editor import trust
from tests.e2e.raw import raw_server

from .provider import ID
from .table import Row, medians

ROUND_TRIP_MS = 20.0
_READ_BYTES = 1 << 16


class _Taken(NamedTuple):
    milliseconds: float
    round_trips: float


def measure(*, smoke: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as directory:
        pairs = asyncio.run(_pairs(Path(directory), 2 if smoke else 30))
    ours, plain = medians([(ours.milliseconds, plain.milliseconds) for ours, plain in pairs])
    trips = [(ours.round_trips, plain.round_trips) for ours, plain in pairs]
    one_more = all(mine == theirs + 1 for mine, theirs in trips)
    return [
        Row(f"cold request over {ROUND_TRIP_MS:g} ms", ours, "httpx", plain),
        Row("its round trips", trips[0][0], "httpx", trips[0][1], "", "one more", one_more),
    ]


async def _pairs(home: Path, times: int) -> list[tuple[_Taken, _Taken]]:
    params = {"provider": ID, "path": "/models"}
    (home / ".codex").mkdir()
    async with serve() as provider, _Relay(provider.port).running() as relay:
        config = provider.config_toml(ID).replace(f":{provider.port}/", f":{relay.port}/")
        (home / ".codex" / "config.toml").write_text(config, "utf-8")
        context = ssl.create_default_context(cadata=provider.web_ca_pem.decode())

        async def attested() -> _Taken:
            await relay.drop()
            started = time.perf_counter()
            server.send({"id": 1, "method": "attestedRequest", "params": params})
            answer = (await server.answer(1))["result"]
            taken = time.perf_counter() - started
            assert not answer["timings"]["reusedConnection"]
            return _Taken(taken * 1000, relay.round_trips)

        async def plain() -> _Taken:
            await relay.drop()
            async with httpx.AsyncClient(verify=context, trust_env=False) as client:
                started = time.perf_counter()
                await client.get(f"https://localhost:{relay.port}/v1/models")
                return _Taken((time.perf_counter() - started) * 1000, relay.round_trips)

        async with raw_server(home, trust(provider, home)) as server:
            await attested()
            fetched = len(provider.record.pccs_targets)
            assert fetched > 0
            pairs = [(await attested(), await plain()) for _ in range(times)]
            assert len(provider.record.pccs_targets) == fetched, "the PCCS was asked again"
    return pairs


class _Relay:
    """TCP on loopback to `target`, every byte late. `round_trips`: since the last `drop`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._ends: set[asyncio.StreamWriter] = set()
        self._asks = False  # who sent last: the client
        self.port = 0
        self.round_trips = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[_Relay]:
        server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await self.drop()

    async def drop(self) -> None:
        """Cut every connection."""
        ends, self._ends = self._ends, set()
        for end in ends:
            end.transport.abort()
        await asyncio.gather(*(end.wait_closed() for end in ends), return_exceptions=True)
        self._asks, self.round_trips = False, 0

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._ends |= {writer, back}
        await asyncio.gather(
            self._late(reader, back, asks=True), self._late(onward, writer, asks=False)
        )

    async def _late(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool
    ) -> None:
        loop, seconds = asyncio.get_running_loop(), ROUND_TRIP_MS / 2000
        try:
            while data := await reader.read(_READ_BYTES):
                self.round_trips += asks and not self._asks
                self._asks = asks
                loop.call_later(seconds, writer.write, data)
        except OSError:
            pass  # cut
        loop.call_later(seconds, writer.close)
