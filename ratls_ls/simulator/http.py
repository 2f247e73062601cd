"""HTTP/1.1 by h11 on the server's side, honest by default and able to lie.

Invariant: each response is framed by h11 first; a fault changes what was framed, so that whatever
it does not touch is proper HTTP.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import NoReturn, Protocol
from urllib.parse import parse_qsl, urlsplit

import h11

from .record import Record, RecordedConnection, RecordedRequest

JSON = "application/json"
_READ_BYTES = 64 * 1024
_MAX_BODY_BYTES = 64 * 1024 * 1024
_MAX_HEAD_BYTES = 1024 * 1024


class Stream(Protocol):
    """What HTTP runs on: TLS for the provider, TCP for the PCCS."""

    async def read(self, max_bytes: int, /) -> bytes: ...

    async def write(self, data: bytes, /) -> None: ...

    async def write_together(self, *records: bytes, held_back: int = 0) -> None: ...

    async def finish(self) -> None: ...

    def cut(self) -> None: ...

    def reset(self) -> None: ...


class EndedError(Exception):
    """The server ended the connection on purpose, or the client did."""


@dataclass(frozen=True, slots=True)
class Request:
    """`target` as sent; `path` and `query` of it; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))


Body = bytes | AsyncIterator[bytes]


@dataclass(slots=True)
class Response:
    """`body`: bytes go with Content-Length, an iterator in chunks. `deliver` puts it on the wire;
    None does so properly."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: Body = b""
    deliver: Callable[[Wire], Awaitable[None]] | None = None


class Wire:
    """One connection while a response goes out. `head` is framed; `parts` frames the body."""

    def __init__(self, exchange: Exchange, head: bytes, body: Body) -> None:
        self._exchange = exchange
        self.stream = exchange.stream
        self.record = exchange.record
        self.head = head
        self._body = body

    async def parts(self) -> AsyncIterator[bytes]:
        """The framed body; the last part ends the message."""
        if isinstance(self._body, bytes):
            yield self._exchange.frame(h11.Data(data=self._body)) + self._end()
            return
        async for part in self._body:
            yield self._exchange.frame(h11.Data(data=part))
        yield self._end()

    async def whole(self) -> bytes:
        """Head and body as one."""
        return self.head + b"".join([part async for part in self.parts()])

    async def send(self, data: bytes) -> None:
        await self.stream.write(data)

    async def send_together(self, *records: bytes, held_back: int = 0) -> None:
        """Each in a TLS record of its own, all at once, but for so many bytes at the end."""
        await self.stream.write_together(*records, held_back=held_back)

    async def finish(self) -> NoReturn:
        """End the connection politely."""
        await self.stream.finish()
        raise EndedError

    async def cut(self) -> NoReturn:
        """End TCP under an unfinished TLS session."""
        self.stream.cut()
        raise EndedError

    async def reset(self) -> NoReturn:
        self.stream.reset()
        raise EndedError

    async def hang(self) -> NoReturn:
        """Answer no more, but record whatever still comes."""
        while True:
            await self._exchange.read()

    def _end(self) -> bytes:
        return self._exchange.frame(h11.EndOfMessage())


class Exchange:
    """The requests and responses of one connection, recorded."""

    def __init__(self, stream: Stream, record: Record, connection: RecordedConnection) -> None:
        self.stream = stream
        self.record = record
        self._connection = connection
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)

    async def serve(self, respond: Callable[[Request], Awaitable[Response]]) -> NoReturn:
        """Answer until the connection ends. Raises EndedError or OSError."""
        while True:
            try:
                request = await self._request()
            except h11.RemoteProtocolError:
                await self._send(Response(400))
                raise EndedError from None
            await self._send(await respond(request))
            if self._http.our_state is not h11.DONE:
                await self.stream.finish()
                raise EndedError
            self._http.start_next_cycle()

    def frame(self, event: h11.Response | h11.Data | h11.EndOfMessage) -> bytes:
        return self._http.send(event) or b""

    async def read(self) -> bytes:
        """Some bytes, recorded. Raises EndedError at the end."""
        data = await self.stream.read(_READ_BYTES)
        self._connection.application_bytes += len(data)
        self.record.changed()
        if not data:
            await self.stream.finish()
            raise EndedError
        return data

    async def _request(self) -> Request:
        recorded: RecordedRequest | None = None
        headers: dict[str, str] = {}
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self.read())
            elif isinstance(event, h11.Request):
                headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
                names = tuple(name.decode() for name, _ in event.headers)
                recorded = RecordedRequest(event.method.decode(), event.target.decode(), names)
                self._connection.requests.append(recorded)
            elif isinstance(event, h11.Data) and recorded is not None:
                body += event.data
                recorded.body = bytes(body)
                if len(body) > _MAX_BODY_BYTES:
                    raise EndedError
            elif isinstance(event, h11.EndOfMessage) and recorded is not None:
                recorded.size = self._connection.application_bytes - self._accounted()
                self.record.changed()
                return Request(recorded.method, recorded.target, headers, bytes(body))
            else:
                raise EndedError

    def _accounted(self) -> int:
        """Bytes of earlier requests, and of later ones that wait already."""
        return sum(request.size for request in self._connection.requests) + len(
            self._http.trailing_data[0]
        )

    async def _send(self, response: Response) -> None:
        headers = list(response.headers)
        if isinstance(response.body, bytes):
            headers.append(("Content-Length", str(len(response.body))))
        head = self.frame(h11.Response(status_code=response.status, headers=headers))
        wire = Wire(self, head, response.body)
        await (response.deliver or _deliver)(wire)


def crumbled(response: Response) -> Response:
    """The same, its body in chunks of one byte, all of which come at once."""
    body = response.body

    async def crumbs() -> AsyncIterator[bytes]:
        async for part in _once(body) if isinstance(body, bytes) else body:
            for byte in part:
                yield bytes([byte])

    async def deliver(wire: Wire) -> None:
        await wire.send(await wire.whole())

    return Response(response.status, response.headers, crumbs(), deliver)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _deliver(wire: Wire) -> None:
    unsent = wire.head
    async for part in wire.parts():
        await wire.send(unsent + part)
        unsent = b""
