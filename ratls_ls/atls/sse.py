"""Server-sent events (WHATWG HTML, section 9.2), decoded as bytes arrive. Pure.

Invariant: bounded memory; an event is given out only when its blank line came.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT_BYTES = 8 * 1024 * 1024
MAX_ID_CHARACTERS = 1024


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
        self._tail: list[str] = []  # pieces of a line that has not ended
        self._size = 0  # of what is held of one event
        self._started = False
        self._event = ""
        self._data: list[str] = []
        self._id: str | None = None

    @property
    def pending(self) -> bool:
        return bool(self._tail or self._data or self._event)

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events that `chunk` completes. Raises SseError."""
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

    def _lines(self, text: str) -> list[str]:
        """The lines that end in `text`; what is behind them is held, once and in one piece."""
        if not text:
            return []
        held_return = bool(self._tail) and self._tail[-1].endswith("\r")
        if not held_return and "\n" not in text and "\r" not in text:
            self._tail.append(text)
            self._grow(len(text))
            return []
        text = "".join([*self._tail, text])
        self._size -= sum(map(len, self._tail))
        # A carriage return at the end may be half of a CRLF: it waits for the next chunk.
        held = "\r" if text.endswith("\r") else ""
        lines = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest = lines.pop() + held
        self._tail = [rest] if rest else []
        self._grow(len(rest))
        return lines

    def _line(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
            self._grow(len(value) + 1)
        elif field == "event":
            self._event = value
            self._grow(len(value) + 1)
        elif field == "id" and "\0" not in value:
            # It is handed over again with every event that follows.
            if len(value) > MAX_ID_CHARACTERS:
                raise SseError(f"the id of an event is longer than {MAX_ID_CHARACTERS} characters")
            self._id = value
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        data, event = self._data, self._event
        self._data, self._event, self._size = [], "", sum(map(len, self._tail))
        if not data:
            return None
        return ServerSentEvent(event or "message", "\n".join(data), self._id)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_EVENT_BYTES:
            raise SseError(f"an event is larger than {MAX_EVENT_BYTES} bytes")
