"""Statements and headers put together to tables, as TOML 1.0 has it.

Invariant: what two places say about one key is never mixed; the first holds, the second is
reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ratls_ls.config.span import Span

from .values import (
    Array,
    Entry,
    Header,
    Issue,
    Key,
    Shifted,
    Statement,
    Table,
    TableKind,
    Value,
    entries_of,
    is_half_typed,
    shifted_header,
    shifted_statement,
    statement_of,
)


@dataclass(slots=True)
class _Table:
    """A table in the making. `explicit`: its header stood; `dotted_by`: the number of the section
    whose dotted keys opened it. After either no other section may add to it."""

    span: Span
    kind: TableKind
    line_end: int | None = None
    entries: dict[str, _Entry | Entry] | Shifted = field(default_factory=dict)
    explicit: bool = False
    dotted_by: int | None = None

    def put(self, name: str, entry: _Entry | Entry) -> None:
        if not isinstance(self.entries, dict):
            self.entries = dict(self.entries)
        self.entries[name] = entry


@dataclass(slots=True)
class _Tables:
    span: Span
    items: list[_Table] = field(default_factory=list)


@dataclass(slots=True)
class _Entry:
    """Of a table that later sections may add to; what has a value is an Entry at once."""

    keys: list[Key]
    value: _Table | _Tables
    span: Span
    line_end: int


class _ConflictError(Exception):
    """`first`: what `key` stands against."""

    def __init__(self, key: Key, message: str, first: _Entry | Entry) -> None:
        self.key = key
        self.message = message
        self.first = first


class Merger:
    """Adds one section after the other, in the order of the text."""

    def __init__(self) -> None:
        self._root = _Table(Span(0, 0), TableKind.ROOT)
        self._number = 0
        self.issues: list[Issue] = []

    def add(
        self,
        header: Header | None,
        content: tuple[Statement, ...] | Mapping[str, Entry],
        at: int,
    ) -> None:
        """Add a section that starts at `at`. `content`: its statements, or what they set, if each
        stands by itself."""
        self._number += 1
        table = self._root
        if header is not None:
            try:
                table = self._open(shifted_header(header, at))
            except _ConflictError as conflict:
                self._report(conflict, header.keys)
                # Nobody sees what stands under a header that must not be; the header is reported.
                return
        if not isinstance(content, tuple):
            if not table.entries:
                table.entries = Shifted(content, at) if at else dict(content)
                return
            content = tuple(map(statement_of, content.values()))
        for statement in content:
            moved = shifted_statement(statement, at)
            try:
                self._assign(table, moved)
            except _ConflictError as conflict:
                # What is half typed is reported as that.
                if not is_half_typed(statement.value):
                    above = header.keys if header is not None else ()
                    self._report(conflict, (*above, *statement.keys))

    def table(self) -> Table:
        """All that was added."""
        return _finished(self._root)

    def _report(self, conflict: _ConflictError, keys: Iterable[Key]) -> None:
        path = tuple(key.name for key in keys)
        self.issues.append(Issue(conflict.key.span, conflict.message, path, conflict.first.span))

    def _open(self, header: Header) -> _Table:
        table = self._root
        *way, last = header.keys
        for key in way:
            entry = table.entries.get(key.name)
            if entry is None:
                step = _Table(key.span, TableKind.IMPLICIT)
                table.put(key.name, _Entry([key], step, header.span, header.line_end))
                table = step
                continue
            if isinstance(entry, Entry):
                raise _ConflictError(key, _is_a_value(key), entry)
            entry.keys.append(key)
            table = entry.value if isinstance(entry.value, _Table) else entry.value.items[-1]
        return (
            _open_element(table, last, header) if header.of_tables else _open(table, last, header)
        )

    def _assign(self, table: _Table, statement: Statement) -> None:
        *way, last = statement.keys
        for key in way:
            entry = table.entries.get(key.name)
            if entry is None:
                step = _Table(key.span, TableKind.DOTTED)
                table.put(key.name, _Entry([key], step, statement.span, statement.line_end))
                table = step
            elif isinstance(entry, Entry) or isinstance(entry.value, _Tables):
                raise _ConflictError(key, _is_a_value(key), entry)
            elif entry.value.explicit or entry.value.dotted_by not in (None, self._number):
                message = f"{_called('Table', key)} is complete: another place defines it"
                raise _ConflictError(key, message, entry)
            else:
                entry.keys.append(key)
                table = entry.value
            table.dotted_by = self._number
        if (first := table.entries.get(last.name)) is not None:
            message = f"{_called('Key', last)} is already set in this table"
            raise _ConflictError(last, message, first)
        entry = Entry(last, statement.value, statement.span, statement.line_end, (last,))
        table.put(last.name, entry)


def inline_table(span: Span, statements: Sequence[Statement]) -> Table:
    """The table of `{…}`, whose statements do not conflict."""
    if all(len(statement.keys) == 1 for statement in statements):
        return Table(span, TableKind.INLINE, entries_of(statements))
    merger = Merger()
    merger.add(None, tuple(statements), 0)
    return Table(span, TableKind.INLINE, merger.table().entries)


def _open(table: _Table, key: Key, header: Header) -> _Table:
    entry = table.entries.get(key.name)
    if entry is None:
        opened = _Table(header.span, TableKind.HEADER, header.line_end, explicit=True)
        table.put(key.name, _Entry([key], opened, header.span, header.line_end))
        return opened
    if isinstance(entry, Entry) or isinstance(entry.value, _Tables):
        raise _ConflictError(key, _is_a_value(key), entry)
    opened_before = entry.value
    if opened_before.explicit or opened_before.dotted_by is not None:
        message = f"{_called('Table', key)} stands twice: join it with the other"
        raise _ConflictError(key, message, entry)
    entry.keys.append(key)
    entry.span, entry.line_end = header.span, header.line_end
    opened_before.span, opened_before.line_end = header.span, header.line_end
    opened_before.kind = TableKind.HEADER
    opened_before.explicit = True
    return opened_before


def _open_element(table: _Table, key: Key, header: Header) -> _Table:
    entry = table.entries.get(key.name)
    if entry is None:
        entry = _Entry([], _Tables(header.span), header.span, header.line_end)
        table.put(key.name, entry)
    if isinstance(entry, Entry) or isinstance(entry.value, _Table):
        message = f"{_called('Table', key)} is no array of tables: another place defines it"
        raise _ConflictError(key, message, entry)
    element = _Table(header.span, TableKind.HEADER, header.line_end, explicit=True)
    entry.value.items.append(element)
    entry.keys.append(key)
    return element


def _is_a_value(key: Key) -> str:
    return f"{_called('Key', key)} already has a value: nothing can stand under it"


def _called(what: str, key: Key) -> str:
    """`key` in a message, without its name if that is in quotes: a broken text may have a secret
    there."""
    is_bare = len(key.name) == key.span.end - key.span.start
    return f"{what} `{key.name}`" if is_bare else f"This {what.lower()}"


def _finished(table: _Table) -> Table:
    entries: Mapping[str, Entry]
    if isinstance(table.entries, dict):
        entries = {
            name: entry if isinstance(entry, Entry) else _finished_entry(entry)
            for name, entry in table.entries.items()
        }
    else:
        entries = table.entries
    return Table(table.span, table.kind, entries, table.line_end)


def _finished_entry(entry: _Entry) -> Entry:
    value: Value
    if isinstance(entry.value, _Table):
        value = _finished(entry.value)
    else:
        items = tuple([_finished(item) for item in entry.value.items])
        value = Array(entry.value.span, items, of_tables=True)
    return Entry(entry.keys[0], value, entry.span, entry.line_end, tuple(entry.keys))
