"""What comes from the client, message by message.

Invariant: no framing and no size ends the server or fills its memory, and nothing is read faster
than it is taken. The loop itself reads: a thread in between, or a task that waits, would cost a
tenth of a millisecond per keystroke.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
MAX_SKIPPED_BYTES = 1024 * 1024 * 1024
MAX_HEADER_BYTES = 8 * 1024
_CHUNK_BYTES = 64 * 1024
# At the end of a line only: the rest of a message whose length was too small may stand before it.
# No string in a message holds an end of a line, so nothing that it quotes is taken for a header.
_CONTENT_LENGTH = re.compile(rb"content-length:[ \t]*(\d{1,20})[ \t]*\r?\n$", re.IGNORECASE)

# As most clients write it.
_PLAIN_HEADER = re.compile(rb"Content-Length: (\d{1,20})\r\n\r\n")


class FramingError(Exception):
    """The client's stream cannot be followed any further."""


class Framing:
    """Takes messages out of a stream of bytes that comes in whatever pieces."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._announced: int | None = None  # by a header that may go on
        self._length: int | None = None  # of the body that is next
        self._skipped = 0  # of that, if it is too long

    def feed(self, chunk: bytes) -> None:
        self._bytes += chunk

    def next(self) -> bytes | int | None:
        """The next message body; its length if that was over the limit and skipped; None if more
        has to come first.

        Raises FramingError.
        """
        if self._length is None and not self._takes_header():
            return None
        length = self._length or 0
        if length > MAX_SKIPPED_BYTES:
            raise FramingError(f"Content-Length of {length} bytes")
        if length > MAX_MESSAGE_BYTES:
            return self._skip(length)
        if len(self._bytes) < length:
            return None
        body = bytes(self._bytes[:length])
        del self._bytes[:length]
        self._length = None
        return body

    def _takes_header(self) -> bool:
        """Whether it is whole."""
        if plain := _PLAIN_HEADER.match(self._bytes):
            self._length, self._announced = int(plain[1]), None
            del self._bytes[: plain.end()]
            return True
        while (end := self._bytes.find(b"\n") + 1) > 0:
            line = bytes(self._bytes[:end])
            del self._bytes[:end]
            if end > MAX_HEADER_BYTES:
                continue
            if match := _CONTENT_LENGTH.search(line):
                self._announced = int(match[1])
            elif not line.strip() and self._announced is not None:
                self._length, self._announced = self._announced, None
                return True
        if len(self._bytes) > MAX_HEADER_BYTES:
            self._bytes.clear()
        return False

    def _skip(self, length: int) -> int | None:
        piece = min(length - self._skipped, len(self._bytes))
        del self._bytes[:piece]
        self._skipped += piece
        if self._skipped < length:
            return None
        self._length, self._skipped = None, 0
        return length


class Input:
    """Reads from `descriptor`, whatever that is: a pipe, a socket or a file. `came` gets each
    piece, `ended` is called once, when no more will come."""

    def __init__(
        self, descriptor: int, came: Callable[[bytes], None], ended: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor = descriptor
        self._came = came
        self._ended = ended
        self._reading = False
        self._over = False

    def resume(self) -> None:
        if self._reading or self._over:
            return
        self._reading = True
        try:
            self._loop.add_reader(self._descriptor, self._read)
        except PermissionError:  # a regular file, which is always ready
            self._loop.call_soon(self._read_on)

    def pause(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._descriptor)

    def end(self) -> None:
        """Read no more."""
        self.pause()
        if not self._over:
            self._over = True
            self._ended()

    def _read(self) -> None:
        try:
            chunk = os.read(self._descriptor, _CHUNK_BYTES)
        except OSError:
            chunk = b""  # the client is gone
        if chunk:
            self._came(chunk)
        else:
            self.end()

    def _read_on(self) -> None:
        if self._reading:
            self._read()
            self._loop.call_soon(self._read_on)
