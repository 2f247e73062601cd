"""What comes from the client, message by message.

Invariant: no framing and no size ends the server or fills its memory, and nothing is read faster
than it is taken. The loop itself reads: a thread in between would cost a tenth of a millisecond per
keystroke.
"""

from __future__ import annotations

import asyncio
import os
import re

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
MAX_SKIPPED_BYTES = 1024 * 1024 * 1024
MAX_HEADER_BYTES = 8 * 1024
_CHUNK_BYTES = 64 * 1024
# At the end of a line only: the rest of a message whose length was too small may stand before it.
_CONTENT_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,20})[ \t]*\r?\n$", re.IGNORECASE)


class FramingError(Exception):
    """The client's stream cannot be followed any further."""


def stream_of(descriptor: int) -> asyncio.StreamReader:
    """What comes from `descriptor`, whatever that is: a pipe, a socket or a file."""
    stream = asyncio.StreamReader(limit=MAX_HEADER_BYTES)
    _Input(descriptor, stream)
    return stream


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


class _Input(asyncio.ReadTransport):
    """Feeds a stream, which pauses it while it has enough."""

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
