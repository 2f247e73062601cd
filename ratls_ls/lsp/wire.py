"""Messages between the client's byte stream and pygls, both ways.

Invariant: no framing, size or JSON of a client ends the server or its loop; stdout carries
protocol only. pygls's own reader dies of an absurd Content-Length and its writer blocks the event
loop; both are replaced through the seams that pygls publishes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import re
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, TypeGuard

from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

from .lifecycle import INVALID_REQUEST, Lifecycle

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
MAX_SKIPPED_BYTES = 1024 * 1024 * 1024
MAX_QUEUED_BYTES = 1024 * 1024
MAX_WAITING_MESSAGES = 256
MAX_HEADER_BYTES = 8 * 1024
PARSE_ERROR = -32700
INVALID_PARAMS = -32602
# At the end of a line only: the rest of a message whose length was too small may stand before it.
_CONTENT_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,20})[ \t]*\r?\n$", re.IGNORECASE)

logger = logging.getLogger(__name__)


class FramingError(Exception):
    """The client's stream cannot be followed any further."""


class Writer:
    """pygls's writer: never blocks; a thread does the writing. `drained` gives back-pressure."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._queued = 0
        self._room = asyncio.Event()
        self._room.set()
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="lsp-writer", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        if self._broken:
            raise BrokenPipeError("the client is gone")
        self._queued += len(data)
        if self._queued > MAX_QUEUED_BYTES:
            self._room.clear()
        self._queue.put(data)

    async def drained(self) -> None:
        """Returns when the client has taken most of what was written."""
        await self._room.wait()

    def close(self) -> None:
        """Write what is queued, then stop; waits a moment for a client that does not read."""
        self._queue.put(None)
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._stream.write(data)
                if self._queue.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                self._call(self._lost)
                return
            self._call(self._written, len(data))

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


async def serve(reader: BinaryIO, writer: Writer, protocol: LanguageServerProtocol) -> None:
    """Hand every message of the client to `protocol`, until the stream ends."""
    protocol.set_writer(writer)
    loop = asyncio.get_running_loop()
    messages: asyncio.Queue[bytes | int | Exception | None] = asyncio.Queue()
    room = threading.Semaphore(MAX_WAITING_MESSAGES)

    def run() -> None:
        try:
            while True:
                item = read_message(reader)
                room.acquire()
                loop.call_soon_threadsafe(messages.put_nowait, item)
                if item is None:
                    return
        except (FramingError, OSError, ValueError) as error:
            loop.call_soon_threadsafe(messages.put_nowait, error)
        except RuntimeError:
            return  # the loop is closed

    def known(method: str) -> bool:
        features = protocol.fm
        # `$/…` is optional by definition, and cancelling is pygls's own.
        found = method in features.features or method in features.builtin_features
        return found or method.startswith("$/")

    lifecycle = Lifecycle(known, gone=lambda: messages.put_nowait(None))
    threading.Thread(target=run, name="lsp-reader", daemon=True).start()
    while (item := await messages.get()) is not None:
        if isinstance(item, Exception):
            logger.error("the client's stream cannot be followed: %s", item)
            return
        room.release()
        if isinstance(item, int):
            _reply(writer, None, INVALID_REQUEST, f"a message of {item} bytes is too large")
        else:
            _handle(item, writer, protocol, lifecycle)


def read_message(reader: BinaryIO) -> bytes | int | None:
    """The next message body; its length if that was over the limit and skipped; None at the end.

    Raises FramingError.
    """
    length: int | None = None
    while True:
        line = reader.readline(MAX_HEADER_BYTES)
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
        while left and (chunk := reader.read(min(left, 65536))):
            left -= len(chunk)
        return length
    body = reader.read(length)
    return body if len(body) == length else None


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


def _reply(writer: Writer, identifier: str | int | None, code: int, message: str) -> None:
    body = json.dumps(
        {"jsonrpc": "2.0", "id": identifier, "error": {"code": code, "message": message}}
    ).encode()
    writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
