"""Server-sent events (WHATWG HTML, section 9.2), decoded as bytes arrive. Pure.

Invariant: bounded memory; an event is given out only when its blank line came.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT_BYTES = 8 * 1024 * 1024
MAX_ID_CHARACTERS = 1024
MAX_FIELD_CHARACTERS = len("event")  # longer ones mean nothing


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
        # In one piece each: a list of very many of them would be larger than what they say.
        self._tail = io.StringIO()  # of a line that has not ended
        self._held_return = False  # at its end, perhaps half of a CRLF: it waits for what comes
        self._size = 0  # of what is held of one event
        self._started = False
        self._event = ""
        self._data: io.StringIO | None = None
        self._id: str | None = None

    @property
    def pending(self) -> bool:
        return bool(self._held_return or self._tail.tell() or self._data or self._event)

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
        """The lines that end in `text`; what is behind them is held."""
        if not text:
            return []
        if self._held_return:
            text = "\r" + text
        self._held_return = text.endswith("\r")
        lines = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest = lines.pop()
        if lines and (held := self._tail.tell()):
            self._size -= held
            self._tail.write(lines[0])
            lines[0] = self._tail.getvalue()
            self._tail = io.StringIO()
        if rest:
            self._tail.write(rest)
            self._grow(len(rest))
        return lines

    def _line(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        field, _, _ = line[: MAX_FIELD_CHARACTERS + 1].partition(":")
        start = len(field) + 1
        value = line[start + line.startswith(" ", start) :]  # once: it may be long
        if field == "data":
            if self._data is None:
                self._data = io.StringIO()
            else:
                self._data.write("\n")
            self._data.write(value)
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
        self._data, self._event, self._size = None, "", self._tail.tell()
        if data is None:
            return None
        return ServerSentEvent(event or "message", data.getvalue(), self._id)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_EVENT_BYTES:
            raise SseError(f"an event is larger than {MAX_EVENT_BYTES} bytes")
