"""Server-sent events (WHATWG HTML, section 9.2), decoded as bytes arrive. Pure.

Invariant: bounded memory; an event is given out only when its blank line came.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT_BYTES = 8 * 1024 * 1024


class SseError(ValueError):
    """The server's event stream is malformed or an event of it too large."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    event: str
    data: str
    id: str | None


class SseDecoder:
    """`feed` bytes, get whole events. `pending` tells at the end whether one was cut."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._tail = ""
        self._size = 0
        self._started = False
        self._event = ""
        self._data: list[str] = []
        self._id: str | None = None

    @property
    def pending(self) -> bool:
        return bool(self._tail or self._data or self._event)

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that `chunk` completes. Raises SseError."""
        self._size += len(chunk)
        if self._size > MAX_EVENT_BYTES and not (b"\n" in chunk or b"\r" in chunk):
            raise SseError(f"an event is larger than {MAX_EVENT_BYTES} bytes")
        try:
            text = self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise SseError("the event stream is not UTF-8") from error
        if not self._started and text:
            self._started = True
            text = text.removeprefix("\ufeff")
        for line in self._lines(text):
            if (event := self._line(line)) is not None:
                yield event

    def _lines(self, text: str) -> Iterator[str]:
        text = self._tail + text
        # A carriage return at the end may be half of a CRLF: it waits for the next chunk.
        held = "\r" if text.endswith("\r") else ""
        lines = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._tail = lines.pop() + held
        return iter(lines)

    def _line(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            if sum(map(len, self._data)) > MAX_EVENT_BYTES:
                raise SseError(f"an event is larger than {MAX_EVENT_BYTES} bytes")
        elif field == "event":
            self._event = value
        elif field == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        data, event = self._data, self._event
        self._data, self._event, self._size = [], "", 0
        if not data:
            return None
        return ServerSentEvent(event or "message", "\n".join(data), self._id)
