"""Keystroke to diagnostics while a hundred prompts are answered, each by twenty tokens a second,
against the same in the same server at rest. The provider runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.raw import RawServer, raw_server

from .provider import ID, provider
from .table import Row, at_most

STREAMS = 100
TOKEN_SECONDS = 0.05
_PUBLISHED = b'"textDocument/publishDiagnostics"'
_EVENT = b'"kind":"event"'
_GAP_SECONDS = 0.03
_READ_BYTES = 1 << 20
_PATIENCE_SECONDS = 30


def measure(*, smoke: bool) -> list[Row]:
    with tempfile.TemporaryDirectory() as directory:
        idle, busy = asyncio.run(_latencies(Path(directory), 20 if smoke else 300))
    return [
        at_most(3.0, f"keystroke beside {STREAMS} streams, {name}", of(busy), "at rest", of(idle))
        for name, of in (("p50", statistics.median), ("p95", _p95))
    ]


async def _latencies(home: Path, edits: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each edit, at rest and under load."""
    # More tokens than will be waited for.
    async with (
        provider(home, tokens=100_000, seconds=TOKEN_SECONDS) as simulated,
        raw_server(home, simulated.trust) as server,
    ):
        output = _Output(server)
        reading = asyncio.create_task(output.read())
        typist = _Typist(server, output, home, simulated.config)
        await typist.open()
        await typist.type(edits // 5)  # warms up
        idle = await typist.type(edits)
        for identifier in range(1, STREAMS + 1):
            params = {
                "provider": ID,
                "path": "/chat/completions",
                "body": {"stream": True, "messages": [{"role": "user", "content": "hello"}]},
                "partialResultToken": identifier,
            }
            server.send({"id": identifier, "method": "attestedRequest", "params": params})
        await output.until(_EVENT, 10 * STREAMS)
        busy = await typist.type(edits)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
    return idle, busy


@dataclass
class _Output:
    """What the server says, so lightly read that it takes little from what is measured."""

    server: RawServer
    seen: dict[bytes, int] = field(default_factory=lambda: {_PUBLISHED: 0, _EVENT: 0})
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        assert self.server.process.stdout is not None
        rest = b""
        while data := await self.server.process.stdout.read(_READ_BYTES):
            for what in self.seen:
                overlap = rest[-len(what) + 1 :]
                self.seen[what] += (overlap + data).count(what)
            rest = data
            self._news.set()
            self._news = asyncio.Event()

    async def until(self, what: bytes, times: int) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while self.seen[what] < times:
                await self._news.wait()


@dataclass
class _Typist:
    """Somebody who edits the name of a provider."""

    server: RawServer
    output: _Output
    home: Path
    text: str
    _version: int = 1

    @property
    def _uri(self) -> str:
        return (self.home / ".codex" / "config.toml").as_uri()

    async def open(self) -> None:
        item = {"uri": self._uri, "languageId": "toml", "version": 1, "text": self.text}
        self.server.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        await self.output.until(_PUBLISHED, 1)

    async def type(self, edits: int) -> list[float]:
        """Milliseconds from each edit to its diagnostics."""
        line = self.text.split("\n").index('name = "Simulated TEE provider"')
        taken = []
        for index in range(edits):
            await asyncio.sleep(_GAP_SECONDS)
            self._version += 1
            start, end = {"line": line, "character": 8}, {"line": line, "character": 8 + index % 2}
            change = {"range": {"start": start, "end": end}, "text": "" if index % 2 else "x"}
            params = {
                "textDocument": {"uri": self._uri, "version": self._version},
                "contentChanges": [change],
            }
            before = self.output.seen[_PUBLISHED]
            started = time.perf_counter()
            self.server.send({"method": "textDocument/didChange", "params": params})
            await self.output.until(_PUBLISHED, before + 1)
            taken.append((time.perf_counter() - started) * 1000)
        return taken


def _p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]
