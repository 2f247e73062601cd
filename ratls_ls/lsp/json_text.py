"""JSON (RFC 8259) as text, checked and written piece by piece. Pure.

Python's own `json` takes a text whole and holds every thread up while it does, for as much as fifty
milliseconds a megabyte. Here whoever iterates has a moment between any two pieces.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from base64 import b64encode
from collections.abc import Generator, Iterator
from enum import Enum, auto

MAX_DEPTH = 200
PIECE_BYTES = 8 * 1024
_MAX_NUMBER_BYTES = 1024
_TEXT_BYTES = 64 * 1024
_BASE64_BYTES = 48 * 1024  # a multiple of three, so that padding comes at the end only

_BLANK = rb"[ \t\n\r]*"
_CHARACTERS = rb'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*'
_STRING = rb'"' + _CHARACTERS + rb'"'
_NUMBER = rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
# Of so few digits that it is finite without a look.
_PLAIN_NUMBER = rb"-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,99})?(?:[eE][+-]?[0-9]{1,2})?"
_NESTED = 3  # with each level more, the expressions are twice as long


def _value(nested: int) -> bytes:
    """An expression for a whole value of at most so many levels."""
    found = _STRING + rb"|" + _PLAIN_NUMBER + rb"|true|false|null"
    if nested:
        inner = _value(nested - 1)
        found += rb"|\[" + _BLANK + _many(inner, rb"\]") + rb"\]"
        found += rb"|\{" + _BLANK + _many(_member(inner), rb"\}") + rb"\}"
    return rb"(?:" + found + rb")"


def _member(value: bytes) -> bytes:
    return _STRING + _BLANK + rb":" + _BLANK + value


def _many(item: bytes, end: bytes) -> bytes:
    """Items, each with a comma behind it or, after the last one, `end`: that comes no other way."""
    comma = rb"(?:," + _BLANK + rb"(?=[^ \t\n\r" + end + rb"])|(?=" + end + rb"))"
    return rb"(?:" + item + _BLANK + comma + rb")*"


_ITEMS = re.compile(_many(_value(_NESTED), rb"\]"))
_MEMBERS = re.compile(_many(_member(_value(_NESTED)), rb"\}"))
_INSIDE_STRING = re.compile(_CHARACTERS)
_BLANKS = re.compile(_BLANK)
_SCALAR = re.compile(rb"true|false|null|(" + _NUMBER + rb")")


class _Next(Enum):
    """What has to come next."""

    VALUE = auto()
    ITEM = auto()
    ITEM_OR_END = auto()
    KEY = auto()
    KEY_OR_END = auto()
    COLON = auto()
    COMMA_OR_END = auto()


_VALUES = (_Next.VALUE, _Next.ITEM, _Next.ITEM_OR_END)
_KEYS = (_Next.KEY, _Next.KEY_OR_END)
_ENDS = (_Next.ITEM_OR_END, _Next.KEY_OR_END, _Next.COMMA_OR_END)
_RUNS = {
    _Next.ITEM: (_ITEMS, _Next.ITEM),
    _Next.ITEM_OR_END: (_ITEMS, _Next.ITEM),
    _Next.KEY: (_MEMBERS, _Next.KEY),
    _Next.KEY_OR_END: (_MEMBERS, _Next.KEY),
}
_OPENED = {b"[": (b"]", _Next.ITEM_OR_END), b"{": (b"}", _Next.KEY_OR_END)}
_AFTER_COMMA = {b"]": _Next.ITEM, b"}": _Next.KEY}


def check(text: bytes | bytearray, piece: int = PIECE_BYTES) -> Iterator[None]:
    """Raises ValueError unless `text` is one value in UTF-8, at most MAX_DEPTH deep and with no
    number beyond what a double holds. `piece`: bytes that are looked at in one go, six at least."""
    for _ in _decoded(text):
        yield
    closers: list[bytes] = []  # of what is open
    expected, at = _Next.VALUE, 0
    while True:
        at = yield from _past(_BLANKS, text, at, piece)
        yield
        byte = bytes(text[at : at + 1])
        if not byte:
            break
        if expected in _RUNS and len(closers) + _NESTED <= MAX_DEPTH:
            # Nearly everything is taken here, many values at once.
            run, then = _RUNS[expected]
            if (end := _end(run, text, at, piece)) > at:
                at = end
                expected = _Next.COMMA_OR_END if text.startswith(closers[-1], at) else then
                continue
        if byte == b'"' and (expected in _VALUES or expected in _KEYS):
            at = yield from _past(_INSIDE_STRING, text, at + 1, piece)
            if not text.startswith(b'"', at):
                raise ValueError("a string that does not end, or holds what none can")
            expected = _Next.COLON if expected in _KEYS else _Next.COMMA_OR_END
        elif byte in _OPENED and expected in _VALUES:
            closer, expected = _OPENED[byte]
            closers.append(closer)
            if len(closers) > MAX_DEPTH:
                raise ValueError("too deeply nested")
        elif closers and byte == closers[-1] and expected in _ENDS:
            closers.pop()
            expected = _Next.COMMA_OR_END
        elif closers and byte == b"," and expected is _Next.COMMA_OR_END:
            expected = _AFTER_COMMA[closers[-1]]
        elif byte == b":" and expected is _Next.COLON:
            expected = _Next.VALUE
        elif expected in _VALUES and (scalar := _SCALAR.match(text, at, at + _MAX_NUMBER_BYTES)):
            if scalar[1] is not None and math.isinf(float(scalar[1])):
                raise ValueError("a number beyond what readers of JSON hold")
            expected = _Next.COMMA_OR_END
            at = scalar.end() - 1
        else:
            raise ValueError("something out of place")
        at += 1
    if closers or expected is not _Next.COMMA_OR_END:
        raise ValueError("it ends too early")


def quoted(text: bytes | bytearray) -> Iterator[bytes]:
    """`text` as a JSON string. Raises UnicodeDecodeError where it is not UTF-8."""
    yield b'"'
    for piece in _decoded(text):
        yield json.dumps(piece, ensure_ascii=False).encode()[1:-1]
    yield b'"'


def quoted_base64(data: bytes | bytearray) -> Iterator[bytes]:
    """`data` as a JSON string in base64."""
    yield b'"'
    for start in range(0, len(data), _BASE64_BYTES):
        yield b64encode(data[start : start + _BASE64_BYTES])
    yield b'"'


def _decoded(text: bytes | bytearray) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(text), _TEXT_BYTES):
        yield decoder.decode(text[start : start + _TEXT_BYTES])
    yield decoder.decode(b"", final=True)


def _past(
    pattern: re.Pattern[bytes], text: bytes | bytearray, at: int, piece: int
) -> Generator[None, None, int]:
    """Where what `pattern` matches ends, over as many pieces as that is long."""
    while (end := _end(pattern, text, at, piece)) > at:
        at = end
        yield
    return at


def _end(pattern: re.Pattern[bytes], text: bytes | bytearray, at: int, piece: int) -> int:
    found = pattern.match(text, at, at + piece)
    return found.end() if found is not None else at
