"""Messages between the client's byte stream and pygls, both ways.

Invariant: no framing, size or JSON of a client ends the server or its loop; stdout carries
protocol only. pygls's own reader dies of an absurd Content-Length and its writer blocks the event
loop; both are replaced through the seams that pygls publishes. Bytes are read and, while the
client takes them, written by the loop itself: each thread in between would cost a tenth of a
millisecond per keystroke.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import queue
import re
import select
import threading
from collections.abc import Callable
from typing import Any, TypeGuard

from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

from .garbage import Quiet
from .lifecycle import INVALID_REQUEST, Lifecycle

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
MAX_SKIPPED_BYTES = 1024 * 1024 * 1024
MAX_QUEUED_BYTES = 1024 * 1024
MAX_TURN_BYTES = 16 * 1024
MAX_HEADER_BYTES = 8 * 1024
_CHUNK_BYTES = 64 * 1024
PARSE_ERROR = -32700
INVALID_PARAMS = -32602
# At the end of a line only: the rest of a message whose length was too small may stand before it.
_CONTENT_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,20})[ \t]*\r?\n$", re.IGNORECASE)

logger = logging.getLogger(__name__)


class FramingError(Exception):
    """The client's stream cannot be followed any further."""


class Writer:
    """pygls's writer: never blocks. What the client's pipe has room for is written at once, the
    rest by a thread. What is streamed in one turn of the event loop goes out as one; `drained`
    gives back-pressure."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
        self._turn: list[bytes] = []
        self._turn_bytes = 0
        self._queued = 0
        self._room = asyncio.Event()
        self._room.set()
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="lsp-writer", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._add(data)
        self._end_turn()

    def send(self, **message: Any) -> None:
        """Write a message of plain JSON values."""
        self.write(_framed(message))

    def stream(self, **message: Any) -> None:
        """Write one of many such messages, together with others of this turn."""
        self._add(_framed(message))

    async def drained(self) -> None:
        """Returns when the client has taken most of what was written. A turn that said much ends
        here, so that a fast stream leaves others theirs."""
        if self._turn_bytes > MAX_TURN_BYTES:
            await asyncio.sleep(0)
        await self._room.wait()

    def close(self) -> None:
        """Write what is queued, then stop; waits a moment for a client that does not read."""
        self._end_turn()
        self._queue.put(None)
        self._thread.join(timeout=2.0)

    def _add(self, data: bytes) -> None:
        if self._broken:
            raise BrokenPipeError("the client is gone")
        if not self._turn:
            self._loop.call_soon(self._end_turn)
        self._turn.append(data)
        self._turn_bytes += len(data)

    def _end_turn(self) -> None:
        left = memoryview(b"".join(self._turn))
        self._turn.clear()
        self._turn_bytes = 0
        if not self._queued:
            try:
                left = self._write_what_fits(left)
            except OSError:
                self._lost()
                return
        if left:
            self._queued += len(left)
            if self._queued > MAX_QUEUED_BYTES:
                self._room.clear()
            self._queue.put(left)

    def _write_what_fits(self, data: memoryview) -> memoryview:
        """Gives what is left. So much never blocks where the system says that there is room."""
        while data and self._poll.poll(0):
            data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]
        return data

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            size = len(data)
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                self._call(self._lost)
                return
            self._call(self._written, size)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    def _written(self, size: int) -> None:
        self._queued -= size
        if self._queued <= MAX_QUEUED_BYTES // 2:
            self._room.set()

    def _lost(self) -> None:
        self._broken = True
        self._room.set()


async def serve(descriptor: int, writer: Writer, protocol: LanguageServerProtocol) -> None:
    """Hand every message of the client to `protocol`, until its stream `descriptor` ends."""
    protocol.set_writer(writer)
    stream = asyncio.StreamReader(limit=MAX_HEADER_BYTES)
    _Input(descriptor, stream)

    def known(method: str) -> bool:
        features = protocol.fm
        # `$/…` is optional by definition, and cancelling is pygls's own.
        found = method in features.features or method in features.builtin_features
        return found or method.startswith("$/")

    lifecycle = Lifecycle(known, gone=stream.feed_eof)
    quiet = Quiet()
    try:
        while (item := await read_message(stream)) is not None:
            if isinstance(item, int):
                message = f"a message of {item} bytes is too large"
                _reply(writer, None, INVALID_REQUEST, message)
            else:
                _handle(item, writer, protocol, lifecycle)
            quiet.ended()
            await asyncio.sleep(0)  # many messages at once keep nothing else waiting
    except FramingError as error:
        logger.error("the client's stream cannot be followed: %s", error)


class _Input(asyncio.ReadTransport):
    """The client's bytes, without a thread in between, and no faster than they are taken."""

    def __init__(self, descriptor: int, stream: asyncio.StreamReader) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._stream = stream
        self._reading = False
        stream.set_transport(self)
        self.resume_reading()

    def resume_reading(self) -> None:
        self._reading = True
        try:
            self._loop.add_reader(self._descriptor, self._read)
        except PermissionError:  # a regular file, which is always ready
            self._loop.call_soon(self._read_on)

    def pause_reading(self) -> None:
        self._reading = False
        self._loop.remove_reader(self._descriptor)

    def _read(self) -> None:
        try:
            chunk = os.read(self._descriptor, _CHUNK_BYTES)
        except OSError:
            chunk = b""  # the client is gone
        if chunk:
            self._stream.feed_data(chunk)
        else:
            self.pause_reading()
            self._stream.feed_eof()

    def _read_on(self) -> None:
        self._read()
        if self._reading:
            self._loop.call_soon(self._read_on)


async def read_message(stream: asyncio.StreamReader) -> bytes | int | None:
    """The next message body; its length if that was over the limit and skipped; None at the end.

    Raises FramingError.
    """
    length: int | None = None
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than any header
            continue
        if not line:
            return None
        if match := _CONTENT_LENGTH.search(line):
            length = int(match[1])
        elif not line.strip() and length is not None:
            break
    if length > MAX_SKIPPED_BYTES:
        raise FramingError(f"Content-Length of {length} bytes")
    if length > MAX_MESSAGE_BYTES:
        left = length
        while left and (chunk := await stream.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
        return length
    try:
        return await stream.readexactly(length)
    except asyncio.IncompleteReadError:
        return None


def _handle(
    body: bytes, writer: Writer, protocol: LanguageServerProtocol, lifecycle: Lifecycle
) -> None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        _reply(writer, None, PARSE_ERROR, "the message is not JSON in UTF-8")
        return
    given = data.get("id") if isinstance(data, dict) else None
    identifier = given if _is_identifier(given) else None
    if not isinstance(data, dict) or data.get("jsonrpc") != "2.0":
        _reply(writer, identifier, INVALID_REQUEST, "not a JSON-RPC 2.0 message")
        return
    method = data.get("method")
    if isinstance(method, str) and "id" in data and identifier is None:
        _reply(writer, None, INVALID_REQUEST, "the id is neither a string nor an integer")
        return
    if isinstance(method, str) and (refusal := lifecycle.refusal(method)) is not None:
        if identifier is not None:
            _reply(writer, identifier, *refusal)
        return
    try:
        message = protocol.structure_message(data)
    except (JsonRpcException, TypeError, ValueError, KeyError, AttributeError, RecursionError):
        if identifier is not None:
            code = INVALID_PARAMS if isinstance(method, str) else INVALID_REQUEST
            _reply(writer, identifier, code, "the message does not fit its method")
        return
    if isinstance(method, str):
        lifecycle.passed(method, data.get("params"))
    try:
        protocol.handle_message(message)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        # pygls takes what is cancelled or answered at its word, and that may be any JSON.
        logger.error("%s while handling a message", type(error).__name__)


def _is_identifier(value: object) -> TypeGuard[str | int]:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _framed(message: dict[str, Any]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def _reply(writer: Writer, identifier: str | int | None, code: int, message: str) -> None:
    writer.send(id=identifier, error={"code": code, "message": message})
