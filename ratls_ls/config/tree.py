"""tree-sitter's tree of a piece of TOML, read into values with spans.

Invariant: only text that tomli accepts is read; what tree-sitter then refuses is newer than
TOML 1.0.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

import tomli
import tree_sitter
import tree_sitter_toml

from .merge import inline_table
from .span import Span
from .values import Array, Header, Key, Scalar, ScalarType, Statement, Value

# The limit of the `toml` crate, with which Codex reads its config.
MAX_DEPTH = 80
TOO_DEEP = "nested too deeply"
NEWER_TOML = "newer TOML"

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
    failure = grammar_failure(text)
    if failure is not None:
        return failure
    try:
        return _Reader(text, at).read()
    except _RefusedError as refused:
        return refused.failure


def grammar_failure(text: str) -> Failure | None:
    """What tomli finds wrong with `text`."""
    try:
        tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        return Failure(_with_carriage_returns(text, error.pos), error.msg)
    except RecursionError:
        return Failure(0, TOO_DEEP)
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
            if node.type == "pair":
                statements.append(self._statement(node, 0))
            elif node.type != "comment":
                header = self._header(node)
                pairs = (child for child in node.named_children if child.type == "pair")
                statements += [self._statement(pair, 0) for pair in pairs]
        return Reading(header, tuple(statements))

    def _offset(self, position: int) -> int:
        return position if self._ends is None else bisect_right(self._ends, position)

    def _span(self, node: tree_sitter.Node) -> Span:
        at = self._at
        if self._ends is None:
            return Span(at + node.start_byte, at + node.end_byte)
        return Span(at + self._offset(node.start_byte), at + self._offset(node.end_byte))

    def _source(self, node: tree_sitter.Node) -> str:
        return self._bytes[node.start_byte : node.end_byte].decode()

    def _line_end(self, node: tree_sitter.Node) -> int:
        return self._at + line_end(self._text, self._offset(node.end_byte))

    def _header(self, node: tree_sitter.Node) -> Header:
        opening, key, closing = node.children[:3]
        span = Span(self._span(opening).start, self._span(closing).end)
        return Header(self._keys(key), span, self._line_end(closing), opening.type == "[[")

    def _statement(self, pair: tree_sitter.Node, depth: int) -> Statement:
        key, _, value = pair.children[:3]
        # tree-sitter puts a comment after the value into the pair.
        span = Span(self._span(key).start, self._span(value).end)
        return Statement(self._keys(key), self._value(value, depth), span, self._line_end(value))

    def _keys(self, node: tree_sitter.Node) -> tuple[Key, ...]:
        parts = []
        while node.type == "dotted_key":
            node, last = node.named_children
            parts.append(last)
        parts.append(node)
        if len(parts) > MAX_DEPTH:
            raise _RefusedError(Failure(self._offset(node.start_byte), TOO_DEEP))
        return tuple(Key(self._name(part), self._span(part)) for part in reversed(parts))

    def _name(self, node: tree_sitter.Node) -> str:
        source = self._source(node)
        return source if node.type == "bare_key" else str(scalar(source))

    def _value(self, node: tree_sitter.Node, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise _RefusedError(Failure(self._offset(node.start_byte), TOO_DEEP))
        if node.type == "array":
            values = [child for child in node.named_children if child.type != "comment"]
            return Array(self._span(node), tuple(self._value(v, depth + 1) for v in values))
        if node.type == "inline_table":
            pairs = [child for child in node.named_children if child.type == "pair"]
            statements = [self._statement(pair, depth + 1) for pair in pairs]
            return inline_table(self._span(node), statements)
        source = self._source(node)
        return Scalar(
            self._span(node), source == "true" if node.type == "boolean" else scalar(source)
        )


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
