"""Positions in text. Offsets count code points, end exclusive; lines and columns are the edge's.

Invariant: an offset goes to a (line, character) and back without loss in every encoding, unless
it stands inside a line ending.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

from ratls_ls.cached import cached_property

_LINE_END = re.compile(r"\r\n|\n|\r")


class Span(NamedTuple):
    start: int
    end: int

    def shifted(self, by: int) -> Span:
        """This span, `by` code points further on."""
        return Span(self.start + by, self.end + by)

    def contains(self, offset: int) -> bool:
        """Whether a cursor at `offset` touches this span; its end counts."""
        return self.start <= offset <= self.end

    def of(self, text: str) -> str:
        """The piece of `text` that this span marks."""
        return text[self.start : self.end]


class PositionEncoding(StrEnum):
    """What a `character` counts (LSP 3.17, PositionEncodingKind)."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    UTF_32 = "utf-32"


class Position(NamedTuple):
    """Zero-based line and character, the latter in units of a PositionEncoding."""

    line: int
    character: int


class LineIndex:
    """Offsets of one text to (line, character) and back.

    Lines end as LSP says: LF, CRLF or CR.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        """Where its lines start."""
        if "\r" in self.text:
            return [0, *(match.end() for match in _LINE_END.finditer(self.text))]
        lengths = map(len, self.text.split("\n"))
        return [0, *accumulate(map((1).__add__, lengths))][:-1]

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    @property
    def line_count(self) -> int:
        return len(self.starts)

    def line_span(self, line: int) -> Span:
        """Where `line` stands, without its line ending. `line` is brought into range."""
        line = min(max(line, 0), self.line_count - 1)
        start = self.starts[line]
        if line + 1 == self.line_count:
            return Span(start, len(self.text))
        end = self.starts[line + 1] - 1
        if end > start and self.text[end] == "\n" and self.text[end - 1] == "\r":
            end -= 1
        return Span(start, end)

    def line(self, offset: int) -> int:
        """The line on which `offset` stands."""
        return bisect_right(self.starts, offset) - 1

    def position(
        self, offset: int, encoding: PositionEncoding = PositionEncoding.UTF_16
    ) -> Position:
        """Where `offset` stands; one beyond the text is taken for its end."""
        if not 0 <= offset <= len(self.text):
            offset = min(max(offset, 0), len(self.text))
        starts = self.starts
        line = bisect_right(starts, offset) - 1
        start = starts[line]
        if self._ascii or encoding is PositionEncoding.UTF_32:
            return Position(line, offset - start)
        return Position(line, _units(self.text[start:offset], encoding))

    def range(self, span: Span, encoding: PositionEncoding) -> dict[str, dict[str, int]]:
        """An LSP range, as plain JSON."""
        start_line, start = self.position(span.start, encoding)
        end_line, end = self.position(span.end, encoding)
        return {
            "start": {"line": start_line, "character": start},
            "end": {"line": end_line, "character": end},
        }

    def offset(
        self, line: int, character: int, encoding: PositionEncoding = PositionEncoding.UTF_16
    ) -> int:
        """The offset of a position. As LSP has it, a character beyond its line is the line's end,
        and a line beyond the text is the text's end; one inside a character is its start."""
        starts = self.starts
        if line >= len(starts):
            return len(self.text)
        if line < 0:
            return 0
        character = max(character, 0)
        plain = self._ascii or encoding is PositionEncoding.UTF_32
        offset = starts[line] + character
        if plain and line + 1 < len(starts) and offset < starts[line + 1] - 1:
            return offset
        span = self.line_span(line)
        if plain:
            return min(offset, span.end)
        units = 0
        for offset in range(span.start, span.end):
            units += _width(self.text[offset], encoding)
            if units > character:
                return offset
        return span.end


def _units(text: str, encoding: PositionEncoding) -> int:
    if text.isascii():
        return len(text)
    return sum(_width(character, encoding) for character in text)


def _width(character: str, encoding: PositionEncoding) -> int:
    """How many code units `character` takes (a lone surrogate: as many as when it is passed on)."""
    code = ord(character)
    if encoding is PositionEncoding.UTF_16:
        return 2 if code > 0xFFFF else 1
    return 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)
