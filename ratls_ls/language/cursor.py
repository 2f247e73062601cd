"""What a cursor could be about to write, on text that is mostly not finished.

Invariant: only the section up to the cursor is looked at, and what is not understood offers
nothing. For what already stands there, `config.place` is exact; this is a guess that helps typing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from ratls_ls.config.place import header_path
from ratls_ls.config.read import ConfigFile
from ratls_ls.config.record import record
from ratls_ls.config.span import Span

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"""|\Z)|\'\'\'.*?(?:\'\'\'|\Z)'
    r'|"(?:[^"\\\n]|\\[^\n])*"?|\'[^\'\n]*\'?|#[^\n]*|\n|[\[\]{}=,.]|[^\s\[\]{}=,."\'#]+',
    re.DOTALL,
)
_HEADER = re.compile(r"[ \t]*\[[ \t]*+(?P<typed>[^\[\]\n#]*)\Z")
_HEADER_AFTER = re.compile(r"[^\]\s#]*")
_WORD_AFTER = re.compile(r"[\w-]*")
_STRING_AFTER = re.compile(r"[\w.:/-]*")
_CLOSED_AFTER = re.compile(r"[^\"'\n,#=\[\]{}]*(?=[\"'])")
_STRING_FOLLOWS = re.compile(r"(?:\s|#[^\n]*+)*+[\"']")
_KEY_FOLLOWS = re.compile(r"[ \t]*[\w\"'-][^\n=,{}]*=")
_QUOTES = ('"', "'")
_AFTER_VALUE = ("", "#", ",", "]", "}")
_BLANK = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?\r?(?:\n|\Z))*")


class Wanted(Enum):
    """What may stand at the cursor."""

    HEADER = "header"
    KEY = "key"
    VALUE = "value"


@record(eq=True, slots=True)
class Cursor:
    """`path`: the table that a key goes into, or the key that a value is for. `span`: what is to
    be replaced; in a string, what stands between its quotes. `typed`: the part of it before the
    cursor. `quote`: that of the string around the cursor; empty outside of one. `closed`: the one
    that ends the string follows the span. `in_array`; `alone`: nothing else stands on the line;
    `last`: nor does any statement on the lines of its section that follow; `ended`: what ends it,
    a `=` or `]`, follows; `dotted`: a dot does. `there`: the keys before it, or the strings around
    it, that are in the same brackets. `separator`: what must stand between the
    span and that which follows there."""

    wanted: Wanted
    path: tuple[str, ...]
    span: Span
    typed: str
    quote: str = ""
    closed: bool = False
    in_array: bool = False
    alone: bool = False
    last: bool = False
    ended: bool = False
    dotted: bool = False
    there: frozenset[str] = frozenset()
    separator: str = ""


@dataclass(slots=True)
class _Frame:
    """The brackets that are open. `names`: the keys with a value, or the strings of an array, that
    they have so far."""

    path: tuple[str, ...]
    array: bool = False
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _State:
    """Where a scan stopped: the brackets around it, the keys before it, how many of them no dot
    joins to the next (`loose`), whether a value is due, and how many words and brackets were
    `given` for it."""

    frames: list[_Frame]
    keys: list[str] = field(default_factory=list)
    loose: int = 0
    value: bool = False
    given: int = 0
    last: str = ""  # the token that ends there, if one does

    def begin(self, *, value: bool, given: int = 0) -> None:
        """A key is due, or a value."""
        self.keys, self.loose, self.value, self.given = [], 0, value, given

    @property
    def in_text(self) -> bool:
        """In a comment, or in a string of several lines."""
        return self.last.startswith(("#", '"""', "'''"))


def cursor_at(file: ConfigFile, offset: int) -> Cursor | None:
    """What may be written at `offset`; None in comments and where nothing is known."""
    text = file.text
    start, section = file.document.section_at(offset)
    line = max(text.rfind("\n", 0, offset) + 1, start)
    if header := _HEADER.match(text, line, offset):
        # A line that begins like a header begins a section, even in a string that is still open.
        begin = file.document.section_at(start - 1)[0] if line == start > 0 else start
        before = _scan(text, begin, line, ())
        if before.in_text or (len(before.frames) > 1 and line > start):
            return None
        return _header(text, header, offset)
    root = header_path(file, offset)
    if root is None:
        return None
    if section.header is not None:
        start += section.header.line_end
        if offset <= start:
            return None
    state = _scan(text, start, offset, root)
    return None if state.in_text else _cursor(text, offset, state)


def _header(text: str, header: re.Match[str], offset: int) -> Cursor:
    end = _end(_HEADER_AFTER, text, offset)
    ended = text[end : end + 1] == "]"
    return Cursor(Wanted.HEADER, (), Span(header.start("typed"), end), header["typed"], ended=ended)


def _scan(text: str, start: int, offset: int, root: tuple[str, ...]) -> _State:
    state = _State([_Frame(root)])
    frames = state.frames
    for token in _TOKEN.finditer(text, start, offset):
        found, frame = token[0], frames[-1]
        state.last = found if token.end() == offset else ""
        if found == "\n":
            state.last = ""
            if len(frames) == 1:
                state.begin(value=False)
        elif found == "=":
            state.value = True
            frame.names += state.keys[:1]
        elif found in "[{" and state.value:
            frames.append(_Frame((*frame.path, *state.keys), array=found == "["))
            state.begin(value=found == "[")
        elif found in "]}":
            if len(frames) > 1:
                frames.pop()
            state.begin(value=True, given=1)
        elif found == ",":
            state.begin(value=frame.array)
        elif found == ".":
            state.loose -= not state.value
        elif found[0] != "#":
            if state.value:
                state.given += 1
                if frame.array:
                    frame.names.append(found.strip("\"'"))
            else:
                state.keys.append(found.strip("\"'"))
                state.loose += 1
    return state


def _cursor(text: str, offset: int, state: _State) -> Cursor | None:
    touching, frame = state.last, state.frames[-1]
    is_string = touching[:1] in ('"', "'") and not (len(touching) > 1 and touching[-1] in "\"'")
    is_word = bool(touching) and (touching[0].isalnum() or touching[0] in "_-" or is_string)
    quote = touching[0] if is_string else ""
    begin = offset - len(touching) + len(quote) if is_word else offset
    end = _string_end(text, offset, quote) if is_string else _end(_WORD_AFTER, text, offset)
    closed = is_string and text[end : end + 1] == quote
    in_brackets = len(state.frames) > 1
    before_string = not is_word and text[offset : offset + 1] in _QUOTES
    if before_string and not frame.array and (state.value or not in_brackets):
        # It stands before a string: that is the one to be replaced.
        end = _end(_TOKEN, text, offset)
    span, typed = Span(begin, end), text[begin:offset]
    after = end + closed
    line_end = text.find("\n", after)
    rest = text[after : line_end if line_end != -1 else len(text)].strip()
    separator = _separator(text, after, frame) if in_brackets else ""
    if state.value:
        # One is there already, and it is not this one.
        if state.given > is_word or not (frame.array or separator or rest[:1] in _AFTER_VALUE):
            return None
        path = (*frame.path, *state.keys)
        there: set[str] = set()
        if frame.array:
            there = {*frame.names[: -1 if is_word else None], *_strings_after(text, after)}
        return Cursor(
            Wanted.VALUE,
            path,
            span,
            typed,
            quote,
            closed,
            in_array=frame.array,
            there=frozenset(there),
            separator="" if closed else separator,
        )
    if state.loose != is_word:  # a key stands before it
        return None
    goes_on = rest.startswith(("=", "."))
    if rest and not in_brackets and not goes_on and not rest.startswith("#"):  # or after it
        return None
    parents = state.keys[:-1] if is_word else state.keys
    before = text[text.rfind("\n", 0, begin) + 1 : begin]
    alone = not before.strip() and not rest
    return Cursor(
        Wanted.KEY,
        (*frame.path, *parents),
        span,
        typed,
        quote,
        closed,
        alone=alone,
        last=alone and not in_brackets and _ends_section(text, after),
        ended=rest.startswith("="),
        dotted=rest.startswith("."),
        there=frozenset() if parents else frozenset(frame.names),
        separator="" if closed or goes_on else separator,
    )


def _separator(text: str, offset: int, frame: _Frame) -> str:
    """What must stand before the next string of the same array, or the next key of the same inline
    table, which is all on one line; empty if there is none."""
    pattern = _STRING_FOLLOWS if frame.array else _KEY_FOLLOWS
    if pattern.match(text, offset) is None:
        return ""
    return "," if text[offset : offset + 1].isspace() else ", "


def _string_end(text: str, offset: int, quote: str) -> int:
    """Where what is in the string around `offset` ends. One that is not closed yet ends with its
    word: what follows on the line is not its own."""
    closing = text.find(quote, offset)
    line_end = text.find("\n", offset)
    line = text[offset : line_end if line_end != -1 else len(text)]
    plain = _end(_CLOSED_AFTER, text, offset)
    # After a string that is open, the quotes that follow come in pairs.
    if text[plain : plain + 1] == quote or line.count(quote) % 2:
        return closing
    return _end(_STRING_AFTER, text, offset)


def _strings_after(text: str, offset: int) -> Iterator[str]:
    """The strings that follow in the same array, be there commas between them or not."""
    for token in _TOKEN.finditer(text, offset):
        if token[0][0] in "\"'":
            yield token[0].strip("\"'")
        elif token[0] not in (",", "\n") and token[0][0] != "#":
            return


def _ends_section(text: str, offset: int) -> bool:
    """Whether nothing but a header, or the end of the text, follows the line of `offset`."""
    after = _end(_BLANK, text, offset)
    return after == len(text) or text[after:].lstrip(" \t").startswith("[")


def _end(pattern: re.Pattern[str], text: str, offset: int) -> int:
    found = pattern.match(text, offset)
    return found.end() if found is not None else offset
