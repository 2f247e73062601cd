"""What a cursor could be about to write, on text that is mostly not finished.

Invariant: only the section up to the cursor is looked at, and what is not understood offers
nothing. For what already stands there, `config.place` is exact; this is a guess that helps typing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ratls_ls.config.place import header_path
from ratls_ls.config.read import ConfigFile
from ratls_ls.config.span import Span

_TOKEN = re.compile(
    r'"""(?:[^\\]|\\.)*?(?:"""|\Z)|\'\'\'.*?(?:\'\'\'|\Z)'
    r'|"(?:[^"\\\n]|\\[^\n])*"?|\'[^\'\n]*\'?|#[^\n]*|\n|[\[\]{}=,.]|[^\s\[\]{}=,."\'#]+',
    re.DOTALL,
)
_HEADER = re.compile(r"[ \t]*\[\[?(?P<typed>[^\]\n#]*)\Z")
_WORD_AFTER = re.compile(r"[\w-]*")
_STRING_AFTER = re.compile(r"[^\"'\n]*")


class Wanted(Enum):
    """What may stand at the cursor."""

    HEADER = "header"
    KEY = "key"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Context:
    """`path`: the table that a key goes into, or the key that a value is for. `span`: what is to
    be replaced. `typed`: the part of it before the cursor, without quotes. `quote`: that of the
    string around the cursor; empty outside of one. `in_array`, `alone`: nothing else stands on
    the line; `assigned`: a `=` follows."""

    wanted: Wanted
    path: tuple[str, ...]
    span: Span
    typed: str
    quote: str = ""
    in_array: bool = False
    alone: bool = False
    assigned: bool = False


@dataclass(slots=True)
class _Frame:
    path: tuple[str, ...]
    array: bool = False


def context_at(file: ConfigFile, offset: int) -> Context | None:
    """What may be written at `offset`; None in comments and where nothing is known."""
    text = file.text
    line = text.rfind("\n", 0, offset) + 1
    if header := _HEADER.match(text, line, offset):
        span = Span(header.start("typed"), offset)
        return Context(Wanted.HEADER, (), span, header["typed"])
    root = header_path(file, offset)
    if root is None:
        return None
    start, section = file.document.section_at(offset)
    if section.header is not None:
        start += section.header.line_end
        if offset < start:
            return None
    return _scan(text, start, offset, root)


def _scan(text: str, start: int, offset: int, root: tuple[str, ...]) -> Context | None:
    frames = [_Frame(root)]
    keys: list[str] = []
    value = False
    last: re.Match[str] | None = None
    for token in _TOKEN.finditer(text, start, offset):
        found, frame, last = token[0], frames[-1], token
        if found == "\n":
            if len(frames) == 1:
                keys, value = [], False
        elif found == "=":
            value = True
        elif found in "[{" and value:
            frames.append(_Frame((*frame.path, *keys), array=found == "["))
            keys, value = [], found == "["
        elif found in "]}":
            if len(frames) > 1:
                frames.pop()
            keys, value = [], frames[-1].array
        elif found == ",":
            keys, value = [], frame.array
        elif found != "." and found[0] != "#" and not value:
            keys.append(found.strip("\"'"))
    return _context(text, start, offset, frames[-1], keys, value, last)


def _context(
    text: str,
    start: int,
    offset: int,
    frame: _Frame,
    keys: list[str],
    value: bool,
    last: re.Match[str] | None,
) -> Context | None:
    touching = last[0] if last is not None and last.end() == offset else ""
    if touching.startswith(("#", '"""', "'''")):
        return None
    is_string = touching[:1] in ('"', "'") and not (len(touching) > 1 and touching[-1] in "\"'")
    is_word = bool(touching) and (touching[0].isalnum() or touching[0] in "_-" or is_string)
    begin = offset - len(touching) if is_word else offset
    typed = touching.strip("\"'") if is_word else ""
    quote = touching[0] if is_string else ""
    after = (_STRING_AFTER if is_string else _WORD_AFTER).match(text, offset)
    end = after.end() if after is not None else offset
    if quote and text[end : end + 1] == quote:
        end += 1
    rest = text[end : text.find("\n", end) if "\n" in text[end:] else len(text)]
    span = Span(begin, end)
    if value:
        if touching and not is_word and touching not in ("=", "[", ","):
            return None
        return Context(Wanted.VALUE, (*frame.path, *keys), span, typed, quote, in_array=frame.array)
    parents = keys[:-1] if is_word else keys
    before = text[text.rfind("\n", 0, begin) + 1 : begin]
    return Context(
        Wanted.KEY,
        (*frame.path, *parents),
        span,
        typed,
        quote,
        alone=not before.strip() and not rest.strip(),
        assigned=rest.lstrip().startswith("="),
    )
