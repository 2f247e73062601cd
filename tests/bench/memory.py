"""Resident memory and open file descriptors of the server after 20,000 attested requests, half of
them streamed, and as many keystrokes, against the same server after 2,000 of each.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from tests.e2e.raw import RawServer, raw_server

from .provider import ID, provider
from .table import Row, at_most

_AT_ONCE = 20
_MIB = 1024 * 1024
_DONE = b'"complete"'
_READ_BYTES = 1 << 20


def measure(*, smoke: bool) -> list[Row]:
    few, many = (200, 1_000) if smoke else (2_000, 20_000)
    with tempfile.TemporaryDirectory() as directory:
        early, late = asyncio.run(_held(Path(directory), few, many))
    return [
        at_most(limit, f"{what} after {many:,} requests", last, f"after {few:,}", first, unit)
        for what, unit, limit, first, last in (
            ("memory", "MiB", 1.05, early[0] / _MIB, late[0] / _MIB),
            ("open files", "", 1.0, early[1], late[1]),
        )
    ]


async def _held(home: Path, few: int, many: int) -> list[tuple[int, int]]:
    """Bytes and file descriptors, after few and after many."""
    async with provider(home) as simulated, raw_server(home, simulated.trust) as server:
        held, done = [], 0
        document = {"uri": (home / ".codex" / "config.toml").as_uri(), "version": 1}
        item = {**document, "languageId": "toml", "text": simulated.config}
        server.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        for goal in (few, many):
            while done < goal:
                _keystrokes(server, document)
                await _requests(server)
                done += _AT_ONCE
            held.append((_resident_bytes(server.process.pid), _open_files(server.process.pid)))
    return held


def _keystrokes(server: RawServer, document: dict[str, object]) -> None:
    start = {"line": 0, "character": 0}
    for index in range(_AT_ONCE):
        end = {"line": 0, "character": index % 2}
        change = {"range": {"start": start, "end": end}, "text": "" if index % 2 else "#"}
        params = {"textDocument": document, "contentChanges": [change]}
        server.send({"method": "textDocument/didChange", "params": params})


async def _requests(server: RawServer) -> None:
    for index in range(_AT_ONCE):
        params: dict[str, object] = {"provider": ID, "path": "/models"}
        if index % 2:
            params = {"provider": ID, "path": "/test/events", "partialResultToken": index}
        server.send({"id": index, "method": "attestedRequest", "params": params})
    assert server.process.stdout is not None
    done, rest = 0, b""
    while done < _AT_ONCE:
        rest = rest[-len(_DONE) + 1 :] + await server.process.stdout.read(_READ_BYTES)
        assert b'"error"' not in rest
        done += rest.count(_DONE)


def _resident_bytes(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _open_files(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))
