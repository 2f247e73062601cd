"""Every way to reach the server, and who does not get to it: one that listens has one client."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from ratls_ls.cli import listening
from ratls_ls.simulator import serve
from tests.cli.program import started

from .editor import PATIENCE_SECONDS, trust
from .test_robustness import message

INITIALIZE = message(
    id="first",
    method="initialize",
    params={"processId": None, "rootUri": None, "capabilities": {}},
)


@asynccontextmanager
async def listening_server(
    home: Path, *options: str | Path, **environment: str
) -> AsyncIterator[int]:
    """The port of one that waits for its client."""
    async with started(home, "--tcp", "0", *options, **environment) as process:
        assert process.stderr is not None
        line = await process.stderr.readline()
        yield int(re.search(rb"listening on port (\d+)", line)[1])  # type: ignore[index]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def is_served(reader: StreamReader, writer: StreamWriter) -> bool:
    """Whether `initialize` is answered, by anything at all."""
    writer.write(INITIALIZE)
    return b"Content-Length" in await reader.readline()


async def test_a_server_that_listens(home: Path) -> None:
    async with listening_server(home) as port, connected(port) as client:
        assert await is_served(*client)


@pytest.mark.parametrize("way", ["--pipe", "--socket"])
async def test_a_server_that_connects(home: Path, way: str) -> None:
    served: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def take(reader: StreamReader, writer: StreamWriter) -> None:
        served.set_result(await is_served(reader, writer))
        writer.close()

    if way == "--pipe":
        where = str(home / "pipe")
        server = await asyncio.start_unix_server(take, where)
    else:
        server = await asyncio.start_server(take, "127.0.0.1", 0)
        where = str(server.sockets[0].getsockname()[1])
    async with server, started(home, way, where):
        assert await served


async def test_a_web_page_is_no_client(home: Path) -> None:
    """A page's POST whose Referer ends as a header of LSP does, and whose body is all of LSP."""
    async with serve() as provider:
        text = provider.config_toml("evil", pinned=False, env_key="AWS_SECRET_ACCESS_KEY")
        uri = "file:///nowhere/.codex/config.toml"
        document = {"uri": uri, "languageId": "toml", "version": 1, "text": text}
        asked = {"provider": "evil", "uri": uri, "path": "/models"}
        body = (
            b"{}"
            + INITIALIZE
            + message(method="initialized", params={})
            + message(method="textDocument/didOpen", params={"textDocument": document})
            + message(id=1, method="attestedRequest", params=asked)
        )
        page = (
            b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n"
            b"Content-Type: text/plain;charset=UTF-8\r\nOrigin: https://evil.example\r\n"
            b"Referer: https://evil.example/?Content-Length:2\r\n\r\n%s" % (len(body), body)
        )
        key = {"AWS_SECRET_ACCESS_KEY": "canary"}
        async with listening_server(home, *trust(provider, home), **key) as port:
            async with connected(port) as (reader, writer):
                writer.write(page)
                with pytest.raises(ConnectionResetError):  # unread, what it sent
                    await reader.readexactly(1)
            assert not provider.record.connections
            async with connected(port) as client:
                assert await is_served(*client)


async def test_who_says_nothing_is_not_taken_for_the_client(home: Path) -> None:
    """A scan of the ports, a browser that connects ahead, and a client that sends byte by byte."""
    async with listening_server(home) as port:
        gone = socket.create_connection(("127.0.0.1", port))
        gone.close()
        silent = [socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) for _ in range(3)]
        async with connected(port) as (reader, writer):
            for byte in INITIALIZE[:40]:
                writer.write(bytes([byte]))
                await writer.drain()
            writer.write(INITIALIZE[40:])
            assert b"Content-Length" in await reader.readline()
        for connection in silent:
            assert connection.recv(1) == b""
            connection.close()


USER = os.getuid()


@pytest.mark.parametrize(
    ("family", "host"),
    [
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET6, "::1"),
        (socket.AF_INET6, "::ffff:127.0.0.1"),
    ],
)
@pytest.mark.parametrize(
    ("owner", "held", "users"),
    [
        (USER, True, True),
        (0, True, True),
        (USER + 1, True, False),
        (0, False, False),
        (None, True, False),
    ],
)
def test_whose_a_connection_is(
    family: socket.AddressFamily,
    host: str,
    owner: int | None,
    held: bool,
    users: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`owner`: in the system's table, None if that has no such connection. `held`: by a process."""
    bound = ("::1", socket.AF_INET6) if host == "::1" else ("127.0.0.1", socket.AF_INET)
    with (
        socket.create_server((bound[0], 0), family=bound[1]) as listener,
        socket.socket(family) as client,
    ):
        client.connect((host, listener.getsockname()[1]))
        accepted, _ = listener.accept()
        with accepted:
            assert listening.is_users(accepted)
            port = f":{client.getsockname()[1]:04X}"
            tables = []
            for table in listening._TABLES:
                rows = [row.split() for row in table.read_text("ascii").splitlines()]
                for row in rows:
                    if row[1].endswith(port) and owner is not None:
                        row[7], row[9] = str(owner), row[9] if held else "0"
                kept = [row for row in rows if owner is not None or not row[1].endswith(port)]
                copy = tmp_path / table.name
                copy.write_text("\n".join(map(" ".join, kept)), "ascii")
                tables.append(copy)
            monkeypatch.setattr(listening, "_TABLES", tables)
            assert listening.is_users(accepted) is users


def test_a_system_that_does_not_tell_whose_a_connection_is_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_TABLES", (tmp_path / "tcp", tmp_path / "tcp6"))
    one, other = socket.socketpair()
    with one, other:
        assert listening.is_users(one)
