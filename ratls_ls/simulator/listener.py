"""TCP on both loopback addresses, one task a connection.

Invariant: nothing listens on any other address, and a stopped listener leaves no socket and no
task behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Awaitable, Callable
from typing import cast

from ratls_ls.atls.network import TcpChannel

_ADDRESSES = ("127.0.0.1", "::1")
_TRIES = 20
# Of the event loop: as many lie between what it accepts and the connection that this becomes.
_ACCEPTING_TURNS = 3


class Accepted(TcpChannel):
    """An accepted connection, which can end in every way that TCP has."""

    def __init__(self, on_made: Callable[[Accepted], None]) -> None:
        super().__init__()
        self._on_made = on_made
        self._accepted: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._accepted = cast(asyncio.Transport, transport)
        self._on_made(self)

    def finish(self) -> None:
        """Send what is still to be sent, then end."""
        if self._accepted is not None:
            self._accepted.close()

    def reset(self) -> None:
        """End by RST."""
        if self._accepted is not None:
            sock: socket.socket = self._accepted.get_extra_info("socket")
            linger_zero = (1).to_bytes(4, "little") + bytes(4)
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
            self._accepted.abort()


class PlainStream:
    """TCP without TLS, as HTTP wants to use it."""

    def __init__(self, channel: Accepted) -> None:
        self._channel = channel

    async def read(self, _max_bytes: int) -> bytes:
        return await self._channel.receive()

    async def write(self, data: bytes) -> None:
        await self._channel.send(data)

    async def write_together(self, *records: bytes, held_back: int = 0) -> None:
        data = b"".join(records)
        await self._channel.send(data[: len(data) - held_back])

    async def finish(self) -> None:
        self._channel.finish()

    def cut(self) -> None:
        self._channel.finish()

    def reset(self) -> None:
        self._channel.reset()


class Listener:
    """`handle` gets each connection; when it returns or fails, the connection is closed."""

    def __init__(self, handle: Callable[[Accepted], Awaitable[None]]) -> None:
        self._handle = handle
        self._servers: list[asyncio.Server] = []
        self._tasks: dict[asyncio.Task[None], Accepted] = {}
        self.port = 0

    async def start(self, port: int = 0) -> None:
        """Listen; port 0 finds one that is free on both addresses. Raises OSError."""
        for _ in range(_TRIES):
            try:
                await self._listen(port)
            except OSError as error:
                await self.stop()
                if port or error.errno != errno.EADDRINUSE:
                    raise
            else:
                return
        raise OSError(errno.EADDRINUSE, "no port is free on both loopback addresses")

    async def stop(self) -> None:
        """Close the listener and every connection, at once."""
        servers, self._servers = self._servers, []
        for listening in (each for server in servers for each in server.sockets):
            asyncio.get_running_loop().remove_reader(listening.fileno())
        # What was accepted becomes a connection first: a server that is closed leaves it open.
        for _ in range(_ACCEPTING_TURNS):
            await asyncio.sleep(0)
        for server in servers:
            server.close()
        await self.drop()

    async def drop(self) -> None:
        """Close every connection, at once."""
        tasks = dict(self._tasks)
        for task, channel in tasks.items():
            channel.close()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, port: int) -> None:
        self.port = port
        for address in _ADDRESSES:
            try:
                await self._listen_on(address)
            except OSError as error:
                # A machine without IPv6 still has its other loopback address.
                if address == "127.0.0.1" or error.errno == errno.EADDRINUSE:
                    raise

    async def _listen_on(self, address: str) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Accepted(self._made), address, self.port)
        self._servers.append(server)
        self.port = server.sockets[0].getsockname()[1]

    def _made(self, channel: Accepted) -> None:
        task = asyncio.get_running_loop().create_task(self._run(channel))
        self._tasks[task] = channel
        task.add_done_callback(self._tasks.pop)

    async def _run(self, channel: Accepted) -> None:
        try:
            # A client that goes away is no error of the server.
            with contextlib.suppress(OSError):
                await self._handle(channel)
        finally:
            channel.finish()
