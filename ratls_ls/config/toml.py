"""TOML text → values with spans, surviving syntax errors.

Invariant: no exception for any text. A broken line costs that line; everything around it is read.
What this reads from a valid text is what tomli reads.

tree-sitter gives the shape and the positions, tomli the values and the verdict. A text is read in
sections, from one table header to the next, each of which is remembered by its text: after a
keystroke only the section that holds it is read anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import tomli
import tree_sitter
import tree_sitter_toml

from .span import Span

MAX_SYNTAX_ERRORS = 50
_MAX_STATEMENT_LINES = 200
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_HEADER = re.compile(
    rf"^[ \t]*\[\[?[ \t]*{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*[ \t]*\]\]?[ \t]*(?:\#[^\n]*)?\r?$",
    re.MULTILINE,
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_PLAIN_STRING = re.compile(r'"[^"\\\x00-\x1f\x7f]*"')
_SINGLE_LINE_POSITION = re.compile(r" \(at (?:line \d+, column \d+|end of document)\)$")


class SyntaxProblem(NamedTuple):
    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string, number, boolean or date. `value` is what tomli gives for it."""

    span: Span
    value: Any


@dataclass(frozen=True, slots=True)
class Array:
    span: Span
    items: tuple[Value, ...]


@dataclass(slots=True)
class Table:
    """`span` is the whole inline table, or the id in the header that opened it first (the root:
    empty). `headers` are the spans of all headers that name exactly this table, brackets
    included; `inline` tells `{…}`. `ends`: where a further entry could be inserted."""

    span: Span
    entries: dict[str, Entry] = field(default_factory=dict)
    headers: list[Span] = field(default_factory=list)
    inline: bool = False
    array_element: bool = False
    ends: int | None = None

    def get(self, *path: str) -> Value | None:
        """The value at `path`, if every step of it is a table."""
        value: Value | None = self
        for key in path:
            if not isinstance(value, Table) or key not in value.entries:
                return None
            value = value.entries[key].value
        return value

    def table(self, *path: str) -> Table | None:
        value = self.get(*path)
        return value if isinstance(value, Table) else None

    def scalar(self, key: str, kind: type) -> Any:
        """The value of `key` if it is of exactly that type, else None."""
        value = self.get(key)
        return value.value if isinstance(value, Scalar) and type(value.value) is kind else None


Value = Scalar | Array | Table


@dataclass(slots=True)
class Entry:
    """`key_span`: the key where it was first written. `span`: key to end of value for `key = …`;
    the key itself for a table opened by a header or a dotted key."""

    key: str
    key_span: Span
    value: Value
    span: Span


@dataclass(slots=True)
class Document:
    """The root table, and the syntax errors in order."""

    text: str
    root: Table
    problems: list[SyntaxProblem]


def parse(text: str) -> Document:
    """Read `text`, whatever it is."""
    root = Table(Span(0, 0))
    builder = _Builder(root)
    # A byte order mark is no part of TOML; as a blank it keeps all offsets.
    source = " " + text[1:] if text.startswith("\ufeff") else text
    starts = [0, *(match.start() for match in _HEADER.finditer(source) if match.start() > 0)]
    for start, end in zip(starts, [*starts[1:], len(source)], strict=True):
        builder.add(_section(source[start:end]), start)
    if builder.problems and _valid(source):
        # What looked like a header stood inside of a value; rare, so it is read anew as one.
        root = Table(Span(0, 0))
        builder = _Builder(root)
        builder.add(_section(source), 0)
    return Document(text, root, sorted(builder.problems)[:MAX_SYNTAX_ERRORS])


def values(table: Table) -> dict[str, Any]:
    """Plain Python values, as tomli gives them."""
    return {key: _plain(entry.value) for key, entry in table.entries.items()}


def _plain(value: Value) -> Any:
    match value:
        case Table():
            return values(value)
        case Array():
            return [_plain(item) for item in value.items]
        case Scalar():
            return value.value


def _valid(source: str) -> bool:
    try:
        tomli.loads(source)
    except (ValueError, RecursionError):
        return False
    return True


# Sections, with spans relative to their start.


@dataclass(frozen=True, slots=True)
class _Key:
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class _Pair:
    keys: tuple[_Key, ...]
    value: _Node
    span: Span


@dataclass(frozen=True, slots=True)
class _Inline:
    pairs: tuple[_Pair, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[_Node, ...]
    span: Span


_Node = Scalar | _List | _Inline


@dataclass(frozen=True, slots=True)
class _Header:
    keys: tuple[_Key, ...]
    span: Span
    array: bool


@dataclass(frozen=True, slots=True)
class _Section:
    statements: tuple[_Header | _Pair, ...]
    problems: tuple[SyntaxProblem, ...]
    ends: int


@lru_cache(maxsize=8192)
def _section(text: str) -> _Section:
    masked = _NOT_ASCII.sub("x", text) if not text.isascii() else text
    try:
        tomli.loads(text)
    except RecursionError:
        problem = SyntaxProblem(Span(0, min(1, len(text))), "values are nested too deeply")
        return _Section((), (problem,), len(text))
    except tomli.TOMLDecodeError as error:
        reader = _Reader(text, masked)
        statements = reader.tolerantly()
        problems = reader.problems or [_tomli_problem(text, error)]
        return _Section(tuple(statements), tuple(problems), _end_of(statements))
    except ValueError:
        # A date or number that TOML's grammar has and Python has not.
        problem = SyntaxProblem(Span(0, len(text.rstrip())), "a value here is out of range")
        return _Section((), (problem,), len(text))
    statements = list(_Reader(text, masked).statements(0, len(text)) or ())
    return _Section(tuple(statements), (), _end_of(statements))


def _end_of(statements: list[_Header | _Pair]) -> int:
    return statements[-1].span.end if statements else 0


def _tomli_problem(text: str, error: tomli.TOMLDecodeError) -> SyntaxProblem:
    at = min(error.pos, max(len(text) - 1, 0))
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)].rstrip()
    indent = len(line) - len(line.lstrip())
    span = Span(start + indent, start + max(len(line), indent + 1))
    return SyntaxProblem(span, _words(error))


def _words(error: tomli.TOMLDecodeError) -> str:
    return f"not TOML: {_SINGLE_LINE_POSITION.sub('', error.msg)}"


class _Reader:
    def __init__(self, text: str, masked: str) -> None:
        self._text = text
        self._masked = masked
        self.problems: list[SyntaxProblem] = []

    def tolerantly(self) -> list[_Header | _Pair]:
        """Statement by statement; a line that begins none is a problem."""
        found: list[_Header | _Pair] = []
        at, size = 0, len(self._text)
        while at < size:
            end = self._statement_end(at)
            statements = self._clean(at, end)
            if statements is None:
                end = self._line_end(at)
                self._complain(at, end)
            else:
                found += statements
            at = end
        return found

    def statements(self, start: int, end: int) -> list[_Header | _Pair] | None:
        """What stands in this range; None if tree-sitter finds an error in it."""
        tree = _PARSER.parse(self._masked[start:end].encode("ascii"))
        root = tree.root_node
        if root.has_error:
            return None
        return list(self._walk(root, start))

    def _clean(self, start: int, end: int) -> list[_Header | _Pair] | None:
        try:
            tomli.loads(self._text[start:end])
        except (ValueError, RecursionError):
            return None
        return self.statements(start, end)

    def _statement_end(self, start: int) -> int:
        """The end of the statement that begins at `start`: its line, or more lines if only those
        close an array or a multi-line string."""
        end = self._line_end(start)
        line = self._text[start:end]
        if not any(sign in line for sign in ("[", '"""', "'''")) or "=" not in line:
            return end
        first = end
        for _ in range(_MAX_STATEMENT_LINES):
            if self._clean(start, end) is not None:
                return end
            if end >= len(self._text):
                break
            end = self._line_end(end)
        return first

    def _line_end(self, start: int) -> int:
        end = self._text.find("\n", start)
        return end + 1 if end >= 0 else len(self._text)

    def _complain(self, start: int, end: int) -> None:
        line = self._text[start:end]
        try:
            tomli.loads(line)
            message = "not TOML"
        except tomli.TOMLDecodeError as error:
            message = _words(error)
        except (ValueError, RecursionError):
            message = "not TOML: a value here is out of range"
        stripped = line.strip()
        if stripped:
            left = start + len(line) - len(line.lstrip())
            self.problems.append(SyntaxProblem(Span(left, left + len(stripped)), message))

    def _walk(self, root: tree_sitter.Node, shift: int) -> Iterator[_Header | _Pair]:
        for node in root.named_children:
            kind = node.type
            if kind == "pair":
                yield self._pair(node, shift)
            elif kind in ("table", "table_array_element"):
                children = node.children
                span = Span(children[0].start_byte + shift, children[2].end_byte + shift)
                keys = tuple(self._keys(children[1], shift))
                yield _Header(keys, span, kind == "table_array_element")
                for child in children[3:]:
                    if child.type == "pair":
                        yield self._pair(child, shift)

    def _pair(self, node: tree_sitter.Node, shift: int) -> _Pair:
        children = node.children
        return _Pair(
            tuple(self._keys(children[0], shift)),
            self._value(children[2], shift),
            Span(children[0].start_byte + shift, children[2].end_byte + shift),
        )

    def _keys(self, node: tree_sitter.Node, shift: int) -> Iterator[_Key]:
        if node.type == "dotted_key":
            for child in node.named_children:
                yield from self._keys(child, shift)
            return
        span = Span(node.start_byte + shift, node.end_byte + shift)
        source = self._text[span.start : span.end]
        yield _Key(source if node.type == "bare_key" else _scalar(source), span)

    def _value(self, node: tree_sitter.Node, shift: int) -> _Node:
        span = Span(node.start_byte + shift, node.end_byte + shift)
        if node.type == "array":
            items = (child for child in node.named_children if child.type != "comment")
            return _List(tuple(self._value(item, shift) for item in items), span)
        if node.type == "inline_table":
            pairs = (child for child in node.named_children if child.type == "pair")
            return _Inline(tuple(self._pair(pair, shift) for pair in pairs), span)
        return Scalar(span, _scalar(self._text[span.start : span.end]))


def _scalar(source: str) -> Any:
    if source == "true":
        return True
    if source == "false":
        return False
    if _PLAIN_STRING.fullmatch(source):
        return source[1:-1]
    return tomli.loads(f"v = {source}")["v"]


# Sections → one tree, with absolute spans.


class _Builder:
    def __init__(self, root: Table) -> None:
        self._root = root
        self._current = root
        self.problems: list[SyntaxProblem] = []

    def add(self, section: _Section, at: int) -> None:
        if not section.statements or not isinstance(section.statements[0], _Header):
            # A section without its own header only comes first.
            self._current = self._root
        for problem in section.problems:
            self.problems.append(SyntaxProblem(problem.span.shifted(at), problem.message))
        for statement in section.statements:
            if isinstance(statement, _Header):
                self._current = self._open(statement, at)
            else:
                self._put(self._current, statement, at)
            self._current.ends = statement.span.end + at

    def _open(self, header: _Header, at: int) -> Table:
        table = self._root
        *path, last = header.keys
        for key in path:
            table = self._step(table, key, at)
        span = last.span.shifted(at)
        entry = table.entries.get(last.name)
        if header.array:
            opened = Table(span, array_element=True)
            if entry is None:
                items = Array(span, (opened,))
                table.entries[last.name] = Entry(last.name, span, items, span)
            elif isinstance(entry.value, Array):
                entry.value = Array(entry.value.span, (*entry.value.items, opened))
            else:
                self._duplicate(last, at)
        elif entry is None:
            opened = Table(span)
            table.entries[last.name] = Entry(last.name, span, opened, span)
        elif isinstance(entry.value, Table) and not entry.value.inline:
            opened = entry.value
            if opened.headers:
                self._duplicate(last, at)
        else:
            self._duplicate(last, at)
            opened = Table(span)
        opened.headers.append(header.span.shifted(at))
        return opened

    def _put(self, table: Table, pair: _Pair, at: int) -> None:
        *path, last = pair.keys
        for key in path:
            table = self._step(table, key, at)
        if table.inline and path:
            self._duplicate(pair.keys[0], at)
        if last.name in table.entries:
            self._duplicate(last, at)
            return
        table.entries[last.name] = Entry(
            last.name, last.span.shifted(at), self._absolute(pair.value, at), pair.span.shifted(at)
        )

    def _step(self, table: Table, key: _Key, at: int) -> Table:
        """The table under `key`, made if absent."""
        entry = table.entries.get(key.name)
        span = key.span.shifted(at)
        if entry is None:
            made = Table(span)
            table.entries[key.name] = Entry(key.name, span, made, span)
            return made
        value = entry.value
        if isinstance(value, Array) and value.items and isinstance(value.items[-1], Table):
            return value.items[-1]
        if isinstance(value, Table):
            return value
        self._duplicate(key, at)
        return Table(span)

    def _absolute(self, node: _Node, at: int) -> Value:
        span = node.span.shifted(at)
        match node:
            case Scalar():
                return Scalar(span, node.value)
            case _List():
                return Array(span, tuple(self._absolute(item, at) for item in node.items))
            case _Inline():
                table = Table(span, inline=True)
                for pair in node.pairs:
                    self._put(table, pair, at)
                return table

    def _duplicate(self, key: _Key, at: int) -> None:
        self.problems.append(
            SyntaxProblem(key.span.shifted(at), f"not TOML: {key.name} is defined twice")
        )
