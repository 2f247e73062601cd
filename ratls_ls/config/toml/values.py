"""TOML values that know where they stand.

Invariant: every key and value carries the exact span of its own source text; text that is no
value is an `Invalid`, never absent, so that nobody takes a broken line for a missing one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import date, datetime, time
from enum import StrEnum
from typing import NamedTuple

from ratls_ls.config.record import record
from ratls_ls.config.span import Span

ScalarType = str | int | float | bool | datetime | date | time


class Key(NamedTuple):
    """One part of a key: its name, unquoted, and the span of its spelling, quotes included."""

    name: str
    span: Span


class Scalar(NamedTuple):
    """A string, number, boolean, date or time. `span` includes the quotes of a string. A value may
    be a secret, so it shows in no repr."""

    span: Span
    value: ScalarType

    def __repr__(self) -> str:
        return f"Scalar(span={self.span})"


class Array(NamedTuple):
    """`[…]`, or the elements of `[[…]]` headers (`of_tables`; the span is the first header's)."""

    span: Span
    items: tuple[Value, ...] = ()
    of_tables: bool = False


class TableKind(StrEnum):
    """How a table came to be: as the whole text, under a header, on the way to one, by dotted
    keys, or as `{…}`."""

    ROOT = "root"
    HEADER = "header"
    IMPLICIT = "implicit"
    DOTTED = "dotted"
    INLINE = "inline"


@record(eq=True, slots=True)
class Table:
    """A table, gathered from all places that add to it.

    `span`: the braces of an inline table; the header (brackets included) of one that has a
    header; else the key that first names it. `line_end`: where the line of its header ends,
    before the line break; None without a header.
    """

    span: Span
    kind: TableKind
    entries: Mapping[str, Entry] = field(default_factory=dict)
    line_end: int | None = None

    def entry(self, name: str, *path: str) -> Entry | None:
        """The entry of `name`, or of `path` within it; None if there is none."""
        entry = self.entries.get(name)
        if entry is None or not path:
            return entry
        return entry.value.entry(*path) if isinstance(entry.value, Table) else None

    def get(self, *path: str) -> Value | None:
        """The value at `path`, None if there is none."""
        if not path:
            return self
        entry = self.entries.get(path[0])
        if entry is None or len(path) == 1:
            return entry and entry.value
        return entry.value.get(*path[1:]) if isinstance(entry.value, Table) else None

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def having(self, entries: Mapping[str, Entry]) -> Table:
        """The same with other entries."""
        return Table(self.span, self.kind, entries, self.line_end)


class Invalid(NamedTuple):
    """Text that stands where a value must and is none; reported as `toml-syntax`. `assigned`:
    whether a `=` stands before it."""

    span: Span
    assigned: bool = True


class Entry(NamedTuple):
    """A key with its value.

    `span`: from the first part of the key to the end of the value (`a.b = 1` as a whole), the
    header for a table under one. `line_end`: where the line ends on which the value ends, before
    the line break. `keys`: every place that spells this key, the first one first.
    """

    key: Key
    value: Value
    span: Span
    line_end: int
    keys: tuple[Key, ...]


class Shifted(Mapping[str, Entry]):
    """The entries of a table, `by` code points further on in the text. Each is moved when somebody
    asks for it: at a keystroke, few do."""

    __slots__ = ("_by", "_entries", "_moved")

    def __init__(self, entries: Mapping[str, Entry], by: int) -> None:
        self._entries = entries
        self._by = by
        self._moved: dict[str, Entry] = {}

    def __getitem__(self, name: str) -> Entry:
        moved = self._moved.get(name)
        if moved is None:
            moved = self._moved[name] = shifted_entry(self._entries[name], self._by)
        return moved

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


Value = Scalar | Array | Table | Invalid


class Header(NamedTuple):
    """`[a.b]`, or `[[a.b]]` (`of_tables`). `line_end`: where its line ends."""

    keys: tuple[Key, ...]
    span: Span
    line_end: int
    of_tables: bool


class Statement(NamedTuple):
    """`a.b = value`. `line_end`: where the line ends on which the value ends."""

    keys: tuple[Key, ...]
    value: Value
    span: Span
    line_end: int


def entries_of(statements: Iterable[Statement]) -> dict[str, Entry]:
    """What statements set whose keys have one part each, no two the same."""
    return {
        keys[0].name: Entry(keys[0], value, span, line_end, keys)
        for keys, value, span, line_end in statements
    }


def statement_of(entry: Entry) -> Statement:
    """The one that set it, if that stands by itself."""
    return Statement(entry.keys, entry.value, entry.span, entry.line_end)


class Issue(NamedTuple):
    """Why some text is not TOML. `path`: the key or table it spoils, None if that is unknown.
    `first`: where else that stands, which is what counts."""

    span: Span
    message: str
    path: tuple[str, ...] | None
    first: Span | None = None


def shifted(value: Value, by: int) -> Value:
    """`value`, `by` code points further on in the text."""
    if isinstance(value, Scalar):  # as nearly all are
        (start, end), plain = value
        return Scalar(Span(start + by, end + by), plain)
    match value:
        case Array(span, items, of_tables):
            return Array(span.shifted(by), tuple(shifted(item, by) for item in items), of_tables)
        case Table():
            return shifted_table(value, by)
        case Invalid(span, assigned):
            return Invalid(span.shifted(by), assigned)


def shifted_table(table: Table, by: int) -> Table:
    """`table`, `by` code points further on in the text."""
    if by == 0:
        return table
    return Table(
        table.span.shifted(by),
        table.kind,
        Shifted(table.entries, by),
        None if table.line_end is None else table.line_end + by,
    )


def shifted_entry(entry: Entry, by: int) -> Entry:
    """`entry`, `by` code points further on in the text."""
    key, value, (start, end), line_end, keys = entry
    key = shifted_key(key, by)
    keys = (key,) if len(keys) == 1 else tuple([shifted_key(each, by) for each in keys])
    return Entry(key, shifted(value, by), Span(start + by, end + by), line_end + by, keys)


def shifted_key(key: Key, by: int) -> Key:
    """`key`, `by` code points further on in the text."""
    name, (start, end) = key
    return Key(name, Span(start + by, end + by))


def shifted_header(header: Header, by: int) -> Header:
    """`header`, `by` code points further on in the text."""
    if by == 0:
        return header
    keys = tuple([shifted_key(key, by) for key in header.keys])
    return Header(keys, header.span.shifted(by), header.line_end + by, header.of_tables)


def shifted_statement(statement: Statement, by: int) -> Statement:
    """`statement`, `by` code points further on in the text."""
    if by == 0:
        return statement
    return Statement(
        tuple([shifted_key(key, by) for key in statement.keys]),
        shifted(statement.value, by),
        statement.span.shifted(by),
        statement.line_end + by,
    )


def shifted_issue(issue: Issue, by: int) -> Issue:
    """`issue`, `by` code points further on in the text."""
    first = issue.first and issue.first.shifted(by)
    return issue._replace(span=issue.span.shifted(by), first=first)


def string_of(value: Value | None) -> str | None:
    """The text of a string; None for any other value."""
    return value.value if isinstance(value, Scalar) and isinstance(value.value, str) else None


def integer_of(value: Value | None) -> int | None:
    """The number of a whole number; None for any other value."""
    plain = value.value if isinstance(value, Scalar) else None
    return plain if isinstance(plain, int) and not isinstance(plain, bool) else None


def strings(value: Value | None) -> Iterator[tuple[str, Span]]:
    """The strings of an array; other elements and values are left out."""
    for item in value.items if isinstance(value, Array) else ():
        text = string_of(item)
        if text is not None:
            yield text, item.span


def is_half_typed(value: Value) -> bool:
    """Whether nothing stands there but keys that no `=` follows: they may go on, or be text that
    was meant as a value."""
    if isinstance(value, Table):
        is_dotted = value.kind is TableKind.DOTTED
        return is_dotted and all(is_half_typed(entry.value) for entry in value)
    return isinstance(value, Invalid) and not value.assigned


def to_python(value: Value) -> object:
    """The plain value, as tomli gives it; an Invalid is None."""
    match value:
        case Scalar():
            return value.value
        case Array():
            return [to_python(item) for item in value.items]
        case Table():
            return {entry.key.name: to_python(entry.value) for entry in value}
        case Invalid():
            return None
