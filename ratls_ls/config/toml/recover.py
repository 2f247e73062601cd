"""Reads statement by statement a section that is not TOML as a whole.

Invariant: a broken statement is reported and, where its key can be read, kept with an Invalid
value: what is half written is never taken for absent. It spoils no other statement.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from ratls_ls.config.span import Span

from .not_toml import NO_HEADER, NO_STATEMENT, UNCLOSED_HEADER, bad_escape, first_line, why
from .pieces import Pieces, statement_end
from .tree import Failure, Reading, line_end, read_valid
from .values import Header, Invalid, Issue, Key, Statement

_KEY_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\[^\n])*"|'[^'\n]*')"""
_KEY = rf"{_KEY_PART}(?:[ \t]*\.[ \t]*{_KEY_PART})*"
_STATEMENT_START = re.compile(rf"^[ \t]*{_KEY}[ \t]*=", re.MULTILINE)
_BROKEN_STATEMENT = re.compile(rf"[ \t]*(?P<key>{_KEY})[ \t]*(?P<equals>=?)[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Behind a `=` that slipped into a key,
_KEY_GOES_ON = re.compile(r"[\w.-]+[ \t]*=")
# and behind a key that somebody types.
_NOTHING_YET = re.compile(r"(?:[ \t]*\.)?[\w.-]*+[ \t]*+(?:#[^\n]*+)?\s*")
_BROKEN_HEADER = re.compile(rf"[ \t]*(?P<open>\[\[?)[ \t]*(?P<key>{_KEY})[ \t]*(?=[\]#\r\n]|$)")


class Recovered(NamedTuple):
    """`lost`: the header cannot be read, so nobody knows where the statements belong; or it is not
    closed, and there are none yet."""

    header: Header | None
    statements: tuple[Statement, ...]
    issues: tuple[Issue, ...]
    lost: bool


def recover(text: str) -> Recovered:
    """What can be read of a section that is not TOML as a whole."""
    recovery = _Recovery(text, None)
    starts = [match.start() for match in _STATEMENT_START.finditer(text)]
    candidates = starts if starts[:1] == [0] else [0, *starts]
    for start, end in pairwise([*Pieces(text, candidates).starts(), len(text)]):
        recovery.piece(start, end)
    return recovery.recovered()


def statement_starts(text: str) -> tuple[int, ...]:
    """Where lines start that look like statements, be they inside a string."""
    return tuple([match.start() for match in _STATEMENT_START.finditer(text)])


def reread(text: str, start: int, end: int, header: Header | None) -> Recovered | None:
    """What `recover` gives for one piece of a section that has this `header`; None if that depends
    on more than the piece, or if it is not one piece."""
    first = _STATEMENT_START.match(text, start, end)
    if first is None or _STATEMENT_START.search(text, first.end(), end):
        return None
    reading = read_valid(text[start:end], start)
    if isinstance(reading, Reading):
        return Recovered(header, reading.statements, (), lost=False)
    if reading.position >= end - start:
        return None  # it may go on
    recovery = _Recovery(text, header)
    recovery.lines(start, end, reading)
    return recovery.recovered()


class _Recovery:
    """Gathers a section piece by piece."""

    def __init__(self, text: str, header: Header | None) -> None:
        self._text = text
        self._header = header
        self._lost = False
        self._statements: list[Statement] = []
        self._issues: list[Issue] = []

    def recovered(self) -> Recovered:
        is_typed = not self._statements and UNCLOSED_HEADER in [i.message for i in self._issues]
        lost = self._lost or is_typed
        return Recovered(self._header, tuple(self._statements), tuple(self._issues), lost)

    def piece(self, start: int, end: int) -> None:
        """One statement with what follows it, or the header with what follows."""
        reading = read_valid(self._text[start:end], start)
        if isinstance(reading, Reading):
            self._take(reading)
        else:
            self.lines(start, end, reading)

    def lines(self, start: int, end: int, whole: Failure) -> None:
        """One piece that is not TOML as a whole, line by line, but a value of several lines at
        once."""
        first = start
        while start < end:
            following = self._text.find("\n", start, end) + 1 or end
            all_of_it = start == first and following == end
            reading = whole if all_of_it else read_valid(self._text[start:following], start)
            if following < end and isinstance(reading, Failure):
                closed = self._end(start, following, end)
                if closed == end and start == first:
                    following, reading = end, whole
                elif closed > following:
                    following, reading = closed, read_valid(self._text[start:closed], start)
            if isinstance(reading, Reading):
                self._take(reading)
            else:
                self._broken(start, following, reading)
            start = following

    def _end(self, start: int, following: int, end: int) -> int:
        """Where what starts at `start` ends: a header with its line."""
        is_header = self._text[start:following].lstrip(" \t").startswith("[")
        return following if is_header else statement_end(self._text, start, end)

    def _take(self, reading: Reading) -> None:
        if reading.header is not None:
            self._header = reading.header
        self._statements += reading.statements

    def _broken(self, start: int, end: int, failure: Failure) -> None:
        """Keep what can be known of a broken piece: which header or key it has."""
        at = start + failure.position
        if self._text[start:end].lstrip(" \t").startswith("["):
            self._broken_header(start, end, at, failure)
            return
        match = _BROKEN_STATEMENT.match(self._text, start, end)
        keys = self._keys(match) if match else None
        if match is None or keys is None:
            self._report(first_line(self._text, self._whole(start, end)), NO_STATEMENT, ())
            return
        assigned = bool(match["equals"])
        begin = match.start("key")
        value = Span(begin, match.end("equals" if assigned else "key"))
        rest = self._text[match.end() : end].strip()
        if rest and rest[0] != "#":
            value = self._whole(match.end(), end)
        invalid = Invalid(value, assigned)
        self._statements.append(Statement(keys, invalid, Span(begin, value.end), value.end))
        path = tuple(key.name for key in keys)
        if self._breaks(match, end) and (self._header is not None or len(path) > 1):
            path = path[:-1]
        self._report(*why(self._text, failure.reason, at, value), path)

    def _breaks(self, found: re.Match[str], end: int) -> bool:
        """Whether a broken statement breaks in the last name of its key, which may be any then."""
        if found["equals"]:
            return _KEY_GOES_ON.match(self._text, found.end(), end) is not None
        return _NOTHING_YET.fullmatch(self._text, found.end("key"), end) is None

    def _broken_header(self, start: int, end: int, at: int, failure: Failure) -> None:
        match = _BROKEN_HEADER.match(self._text, start, end)
        keys = self._keys(match) if match else None
        line = first_line(self._text, self._whole(start, end))
        if match is None or keys is None or self._header is not None or self._statements:
            self._lost = self._lost or (self._header is None and not self._statements)
            self._report(*(bad_escape(self._text, failure.reason, at) or (line, NO_HEADER)), None)
            return
        self._header = Header(keys, line, line_end(self._text, start), match["open"] == "[[")
        self._report(line, UNCLOSED_HEADER if "]" not in line.of(self._text) else NO_HEADER, ())

    def _keys(self, match: re.Match[str]) -> tuple[Key, ...] | None:
        if _BARE_KEY.fullmatch(match["key"]):
            return (Key(match["key"], Span(*match.span("key"))),)
        reading = read_valid(f"{match['key']} = 0", match.start("key"))
        return reading.statements[0].keys if isinstance(reading, Reading) else None

    def _whole(self, start: int, end: int) -> Span:
        """What stands between `start` and `end` less the blanks around it; all, if all is blank."""
        piece = self._text[start:end]
        blanks = len(piece) - len(piece.lstrip())
        return (
            Span(start + blanks, start + len(piece.rstrip())) if piece.strip() else Span(start, end)
        )

    def _report(self, span: Span, message: str, path: tuple[str, ...] | None) -> None:
        if path is not None and self._header is not None:
            path = (*(key.name for key in self._header.keys), *path)
        self._issues.append(Issue(span, message, path))
