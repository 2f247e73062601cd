"""TCP to addresses a user may mean, with every byte that waits in plain sight.

Invariant: what `config.hosts` refuses is never connected to; the address that was checked is the
address that is used (no second look-up to rebind).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import cast

from ratls_ls.config.hosts import refusal

from .errors import Step, UnreachableError

CONNECT_SECONDS = 10.0
MAX_BUFFERED_BYTES = 256 * 1024


class TcpChannel(asyncio.Protocol):
    """One TCP connection: raw bytes in and out with back-pressure, and a look at what waits."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._ended = False
        self._error: Exception | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._drained = asyncio.Event()
        self._drained.set()

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > MAX_BUFFERED_BYTES and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return True  # keeps our side open: TLS still owes its close_notify

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._take_what_came_before()
        self._ended = True
        self._error = exc
        self._drained.set()
        self._wake()

    def _take_what_came_before(self) -> None:
        """asyncio reads no more once writing failed: what the peer said then is in the kernel."""
        sock = self._transport.get_extra_info("socket") if self._transport is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                while len(self._received) <= MAX_BUFFERED_BYTES and (
                    data := os.read(sock.fileno(), MAX_BUFFERED_BYTES)
                ):
                    self._received += data

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    # Called by the TLS stream.

    async def receive(self, most: int | None = None) -> bytes:
        """All bytes that arrived, or `most` of them, at least one; b"" at the end. Raises OSError
        on a reset."""
        while not self._received:
            if self._error is not None:
                raise ConnectionResetError(str(self._error)) from self._error
            if self._ended:
                return b""
            self._arrival = asyncio.get_running_loop().create_future()
            try:
                await self._arrival
            finally:
                self._arrival = None
        data = bytes(self._received[:most])
        del self._received[: len(data)]
        transport = self._transport
        if len(self._received) <= MAX_BUFFERED_BYTES and transport and not transport.is_closing():
            transport.resume_reading()
        return data

    def write(self, data: bytes) -> None:
        """Hand `data` to the kernel or the write buffer. Raises OSError when the connection is
        gone."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._transport.write(data)

    async def send(self, data: bytes) -> None:
        """Write and wait until the write buffer has room again. Raises OSError like `write`."""
        self.write(data)
        await self._drained.wait()
        if self._error is not None:
            raise ConnectionResetError(str(self._error)) from self._error

    @property
    def ended(self) -> bool:
        return self._ended

    @property
    def waiting_in_kernel(self) -> bool:
        """Whether the socket holds bytes (or an end) that asyncio has not handed over yet."""
        sock = self._transport.get_extra_info("socket") if self._transport is not None else None
        if sock is None or (descriptor := sock.fileno()) < 0:
            return True
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))

    @property
    def waiting(self) -> bool:
        """Whether bytes or an end wait to be read."""
        return bool(self._received) or self._ended or self.waiting_in_kernel

    def close(self) -> None:
        """Close at once; what was not written yet is dropped."""
        if self._transport is not None:
            self._transport.abort()

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)


async def connect(
    host: str, port: int, on_step: Callable[[Step], None] = lambda _: None
) -> TcpChannel:
    """A TCP connection to `host`, trying each of its allowed addresses in turn. `on_step` is told
    of each step as it begins, of `tcp` with each address.

    Raises UnreachableError with step `dns` or `tcp`.
    """
    loop = asyncio.get_running_loop()
    step = Step.DNS
    on_step(step)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            addresses = await resolve(host, port)
            step = Step.TCP
            last: OSError | None = None
            for address in addresses:
                on_step(step)
                try:
                    _, channel = await loop.create_connection(TcpChannel, address, port)
                except OSError as error:
                    last = error
                else:
                    return channel
    except TimeoutError as error:
        what = f"cannot resolve {host}" if step is Step.DNS else f"{host}:{port} did not answer"
        raise UnreachableError(step, host, f"{what} within {CONNECT_SECONDS:g} s") from error
    raise UnreachableError(
        Step.TCP, host, f"cannot connect to {host}:{port}: {_words(last)}"
    ) from last


async def resolve(host: str, port: int) -> list[str]:
    """The numeric addresses of `host` that may be contacted, at least one.

    Raises UnreachableError with step `dns`.
    """
    try:
        found = await _looked_up(host, port)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(
            Step.DNS,
            host,
            f"cannot resolve {host}: {_words(error)}; check base_url and the network",
        ) from error
    addresses = list(dict.fromkeys(found))
    allowed = [address for address in addresses if refusal(address) is None]
    if not allowed:
        why = refusal(addresses[0]) if addresses else "no address"
        raise UnreachableError(Step.DNS, host, f"{host} is {why}; it is never contacted")
    return allowed


async def _looked_up(host: str, port: int) -> list[str]:
    """What the system says, in a thread that nobody waits for: where no name server answers, it
    takes as long as the system likes, and neither other work nor the end of the process may."""
    answer: Future[list[str]] = Future()
    answer.set_running_or_notify_cancel()  # it goes on, whoever gives up on it

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.set_result([str(info[4][0]) for info in found])
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, name="resolver", daemon=True).start()
    return await asyncio.wrap_future(answer)


def _words(error: BaseException | None) -> str:
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)  # asyncio's own text repeats the address
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) if error is not None else "no address answered"
