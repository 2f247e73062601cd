"""tree-sitter's tree of a piece of TOML, read into values with spans.

Invariant: only text that tomli accepts is read, be it without asking it; what tree-sitter then
refuses is newer than TOML 1.0.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

import tomli
import tree_sitter
import tree_sitter_toml

from ratls_ls.config.span import Span

from .merge import inline_table
from .values import Array, Header, Key, Scalar, ScalarType, Statement, Value

# The limit of the `toml` crate, with which Codex reads its config.
MAX_DEPTH = 80
TOO_DEEP = "nested too deeply"
NEWER_TOML = "newer TOML"
# An integer with more than any register, which may stand without quotes: Python soon cannot print
# it, nor read it in decimal.
TOO_LONG = "too long an integer"
_MAX_BITS = 4096

# Most lines that somebody types are TOML at the first look, and where key and value stand, too.
_CONTROL = r"\x00-\x08\x0a-\x1f\x7f"
_PLAIN = re.compile(
    r"[ \t]*(?P<key>[A-Za-z0-9_-]+)[ \t]*=[ \t]*"
    rf"""(?P<value>"[^"\\{_CONTROL}]*"|'[^'{_CONTROL}]*'|true|false)"""
    rf"[ \t]*(?:\#[^{_CONTROL}]*)?(?:\r?\n[ \t]*)*"
)

_LANGUAGE = tree_sitter.Language(tree_sitter_toml.language())


class Failure(NamedTuple):
    """The first thing wrong with a text: where, and the parser's word for it."""

    position: int
    reason: str


class Reading(NamedTuple):
    header: Header | None
    statements: tuple[Statement, ...]


def read_valid(text: str, at: int = 0) -> Reading | Failure:
    """TOML with at most one header, `at` code points into its section."""
    if (plain := _PLAIN.fullmatch(text)) is not None:
        return Reading(None, (_plain_statement(text, at, plain),))
    failure = grammar_failure(text)
    if failure is not None:
        return failure
    try:
        return _Reader(text, at).read()
    except _RefusedError as refused:
        return refused.failure


def _plain_statement(text: str, at: int, plain: re.Match[str]) -> Statement:
    start, key_end = plain.span("key")
    value_start, end = plain.span("value")
    source = plain["value"]
    value = source == "true" if source[0] in "tf" else source[1:-1]
    return Statement(
        (Key(plain["key"], Span(start + at, key_end + at)),),
        Scalar(Span(value_start + at, end + at), value),
        Span(start + at, end + at),
        line_end(text, end) + at,
    )


def grammar_failure(text: str) -> Failure | None:
    """What tomli finds wrong with `text`."""
    try:
        tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        return Failure(_with_carriage_returns(text, error.pos), error.msg)
    except RecursionError:
        return Failure(0, TOO_DEEP)
    except ValueError:
        return Failure(0, TOO_LONG)
    return None


def _with_carriage_returns(text: str, position: int) -> int:
    """A position in `text` from one of tomli's, which counts CRLF as one."""
    at = text.find("\r\n")
    while -1 < at < position:
        position += 1
        at = text.find("\r\n", at + 2)
    return position


def line_end(text: str, offset: int) -> int:
    """Where the line of `offset` ends, before its line break."""
    end = text.find("\n", offset)
    if end == -1:
        return len(text)
    return end - 1 if end > offset and text[end - 1] == "\r" else end


class _RefusedError(Exception):
    def __init__(self, failure: Failure) -> None:
        self.failure = failure


class _Reader:
    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._at = at
        self._bytes = text.encode()
        # tree-sitter counts bytes. For each code point where it ends; not needed for ASCII.
        self._ends = (
            None
            if len(self._bytes) == len(text)
            else list(accumulate(len(character.encode()) for character in text))
        )

    def read(self) -> Reading:
        root = tree_sitter.Parser(_LANGUAGE).parse(self._bytes).root_node
        if root.has_error:
            raise _RefusedError(Failure(self._offset(_first_error(root).start_byte), NEWER_TOML))
        header: Header | None = None
        statements: list[Statement] = []
        for node in root.named_children:
            pairs = [node]
            if node.type in ("table", "table_array_element"):
                header = self._header(node)
                pairs = node.named_children
            statements += [self._statement(pair, 0) for pair in pairs if pair.type == "pair"]
        return Reading(header, tuple(statements))

    def _offset(self, position: int) -> int:
        return position if self._ends is None else bisect_right(self._ends, position)

    def _span(self, node: tree_sitter.Node) -> Span:
        start, end, at = node.start_byte, node.end_byte, self._at
        if self._ends is not None:
            start, end = self._offset(start), self._offset(end)
        return Span(start + at, end + at)

    def _source(self, span: Span) -> str:
        return self._text[span.start - self._at : span.end - self._at]

    def _line_end(self, offset: int) -> int:
        return line_end(self._text, offset - self._at) + self._at

    def _header(self, node: tree_sitter.Node) -> Header:
        opening, key, closing = node.children[:3]
        span = Span(self._span(opening).start, self._span(closing).end)
        return Header(self._keys(key), span, self._line_end(span.end), opening.type == "[[")

    def _statement(self, pair: tree_sitter.Node, depth: int) -> Statement:
        # tree-sitter puts a comment after the value into the pair.
        key, value = pair.named_children[:2]
        keys, found = self._keys(key), self._value(value, depth)
        span = Span(keys[0].span.start, found.span.end)
        return Statement(keys, found, span, self._line_end(span.end))

    def _keys(self, node: tree_sitter.Node) -> tuple[Key, ...]:
        if node.type != "dotted_key":
            return (self._key(node),)
        parts = []
        while node.type == "dotted_key":
            node, last = node.named_children
            parts.append(last)
        parts.append(node)
        if len(parts) > MAX_DEPTH:
            raise _RefusedError(Failure(self._offset(node.start_byte), TOO_DEEP))
        return tuple([self._key(part) for part in reversed(parts)])

    def _key(self, node: tree_sitter.Node) -> Key:
        span = self._span(node)
        source = self._source(span)
        return Key(source if node.type == "bare_key" else str(scalar(source)), span)

    def _value(self, node: tree_sitter.Node, depth: int) -> Value:
        span, kind = self._span(node), node.type
        if depth > MAX_DEPTH:
            raise _RefusedError(Failure(self._offset(node.start_byte), TOO_DEEP))
        if kind == "array":
            values = [child for child in node.named_children if child.type != "comment"]
            return Array(span, tuple([self._value(value, depth + 1) for value in values]))
        if kind == "inline_table":
            pairs = [child for child in node.named_children if child.type == "pair"]
            return inline_table(span, [self._statement(pair, depth + 1) for pair in pairs])
        source = self._source(span)
        if kind == "boolean":
            return Scalar(span, source == "true")
        found = scalar(source)
        if isinstance(found, int) and found.bit_length() > _MAX_BITS:
            raise _RefusedError(Failure(self._offset(node.start_byte), TOO_LONG))
        return Scalar(span, found)


def _first_error(node: tree_sitter.Node) -> tree_sitter.Node:
    """The innermost that is known of it."""
    while not (node.is_error or node.is_missing):
        bad = (child for child in node.children if child.has_error or child.is_missing)
        if (child := next(bad, None)) is None:
            break
        node = child
    return node


def scalar(source: str) -> ScalarType:
    """The value of a scalar's source text."""
    if "\\" not in source and source[0] in "\"'" and source[:3] not in ('"""', "'''"):
        return source[1:-1]
    value: ScalarType = tomli.loads(f"value = {source}")["value"]
    return value
