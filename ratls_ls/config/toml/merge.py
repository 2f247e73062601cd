"""Statements and headers put together to tables, as TOML 1.0 has it.

Invariant: what two places say about one key is never mixed; the first holds, the second is
reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ratls_ls.config.span import Span

from .values import (
    Array,
    Entry,
    Header,
    Invalid,
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

_Entries = dict[str, Entry]


class _ConflictError(Exception):
    """`first`: what `key` stands against."""

    def __init__(self, key: Key, message: str, first: Entry) -> None:
        self.key = key
        self.message = message
        self.first = first


class Merger:
    """Adds one section after the other, in the order of the text."""

    def __init__(self) -> None:
        self._root: _Entries = {}
        self._number = 0
        # By the entries of a table: the number of the section whose dotted keys lead there. No
        # other section may add to it.
        self._dotted_by: dict[int, int] = {}
        # By the entries of a table and a name in it, with those: how it is spelled beside the first
        # time, and the elements of an array of tables.
        self._keys: dict[tuple[int, str], tuple[_Entries, list[Key]]] = {}
        self._elements: dict[tuple[int, str], tuple[_Entries, list[Table]]] = {}
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
        own: Mapping[str, Entry] = {}
        if not isinstance(content, tuple):
            own = Shifted(content, at) if at else dict(content)
        entries: Mapping[str, Entry] = self._root
        if header is not None:
            try:
                entries = self._open(shifted_header(header, at), own)
            except _ConflictError as conflict:
                self._report(conflict, header.keys)
                # Nobody sees what stands under a header that must not be; the header is reported.
                return
        if entries is own and not isinstance(content, tuple):
            return
        assert isinstance(entries, dict)  # what may be another mapping is `own`
        if not isinstance(content, tuple):
            if not entries:
                entries.update(own)
                return
            content = tuple(map(statement_of, content.values()))
        for statement in content:
            try:
                self._assign(entries, shifted_statement(statement, at))
            except _ConflictError as conflict:
                # What is half typed is reported as that.
                if not is_half_typed(statement.value):
                    above = header.keys if header is not None else ()
                    self._report(conflict, (*above, *statement.keys))

    def table(self) -> Table:
        """All that was added; nothing can be after that."""
        for (_, name), (entries, keys) in self._keys.items():
            key, value, span, line_end, first = entries[name]
            entries[name] = Entry(key, value, span, line_end, (*first, *keys))
        for (_, name), (entries, elements) in self._elements.items():
            key, value, span, line_end, keys_ = entries[name]
            value = Array(value.span, tuple(elements), of_tables=True)
            entries[name] = Entry(key, value, span, line_end, keys_)
        return Table(Span(0, 0), TableKind.ROOT, self._root)

    def _report(self, conflict: _ConflictError, keys: Iterable[Key]) -> None:
        path = tuple(key.name for key in keys)
        self.issues.append(Issue(conflict.key.span, conflict.message, path, conflict.first.span))

    def _again(self, entries: _Entries, key: Key) -> None:
        """`key` is spelled once more."""
        self._keys.setdefault((id(entries), key.name), (entries, []))[1].append(key)

    def _open(self, header: Header, own: Mapping[str, Entry]) -> Mapping[str, Entry]:
        """The entries of the table that `header` opens: its `own`, if it is new."""
        *way, last = header.keys
        entries = self._root
        for key in way:
            entries = self._passed(entries, key, header)
        table = Table(header.span, TableKind.HEADER, own, header.line_end)
        if header.of_tables:
            self._open_element(entries, last, header, table)
            return own
        entry = entries.get(last.name)
        if entry is None or _gives_way(entry.value):
            entries[last.name] = Entry(last, table, header.span, header.line_end, (last,))
            return own
        opened = _table(entry, last)
        there = opened.entries
        if opened.kind is TableKind.HEADER or id(there) in self._dotted_by:
            message = f"{_called('Table', last)} stands twice: join it with the other"
            raise _ConflictError(last, message, entry)
        self._again(entries, last)
        table = Table(header.span, TableKind.HEADER, there, header.line_end)
        entries[last.name] = Entry(entry.key, table, header.span, header.line_end, entry.keys)
        return there

    def _passed(self, entries: _Entries, key: Key, header: Header) -> _Entries:
        """Those of the table `key` on the way to `header`."""
        entry = entries.get(key.name)
        if entry is None:
            inner: _Entries = {}
            step = Table(key.span, TableKind.IMPLICIT, inner)
            entries[key.name] = Entry(key, step, header.span, header.line_end, (key,))
            return inner
        there = entry.value
        if not isinstance(there, Table):
            return self._passed_other(entries, entry, key, header)
        there = _table(entry, key)
        self._again(entries, key)
        table, inner = _writable(there)
        if table is not there:
            entries[key.name] = entry._replace(value=table)
        return inner

    def _passed_other(self, entries: _Entries, entry: Entry, key: Key, header: Header) -> _Entries:
        value = entry.value
        if isinstance(value, Array) and value.of_tables:
            self._again(entries, key)
            _, elements = self._elements[id(entries), key.name]
            elements[-1], inner = _writable(elements[-1])
            return inner
        if _gives_way(value):
            del entries[key.name]
            return self._passed(entries, key, header)
        raise _not_a_table(entry, key)

    def _open_element(self, entries: _Entries, key: Key, header: Header, element: Table) -> None:
        entry = entries.get(key.name)
        if entry is None or _gives_way(entry.value):
            array = Array(header.span, (), of_tables=True)
            entries[key.name] = Entry(key, array, header.span, header.line_end, (key,))
            self._elements[id(entries), key.name] = (entries, [element])
            return
        if (id(entries), key.name) not in self._elements:
            message = f"{_called('Table', key)} is no array of tables: another place defines it"
            raise _ConflictError(key, message, entry)
        self._again(entries, key)
        self._elements[id(entries), key.name][1].append(element)

    def _assign(self, entries: _Entries, statement: Statement) -> None:
        *way, last = statement.keys
        for key in way:
            entry = entries.get(key.name)
            if entry is None:
                inner: Mapping[str, Entry] = {}
                step = Table(key.span, TableKind.DOTTED, inner)
                entries[key.name] = Entry(key, step, statement.span, statement.line_end, (key,))
            else:
                there = _table(entry, key)
                inner = there.entries
                by = self._dotted_by.get(id(inner), self._number)
                if there.kind is TableKind.HEADER or by != self._number:
                    message = f"{_called('Table', key)} is complete: another place defines it"
                    raise _ConflictError(key, message, entry)
                self._again(entries, key)
            assert isinstance(inner, dict)  # that of a table with a header may be another mapping
            self._dotted_by[id(inner)] = self._number
            entries = inner
        if (first := entries.get(last.name)) is not None:
            message = f"{_called('Key', last)} is already set in this table"
            raise _ConflictError(last, message, first)
        _, value, span, line_end = statement
        entries[last.name] = Entry(last, value, span, line_end, (last,))


def inline_table(span: Span, statements: Sequence[Statement]) -> Table:
    """The table of `{…}`, whose statements do not conflict."""
    if all(len(statement.keys) == 1 for statement in statements):
        return Table(span, TableKind.INLINE, entries_of(statements))
    merger = Merger()
    merger.add(None, tuple(statements), 0)
    return Table(span, TableKind.INLINE, merger.table().entries)


def _gives_way(value: Value) -> bool:
    """Whether nothing but a half typed key stands there, which is reported, and hides no table."""
    return isinstance(value, Invalid) and not value.assigned


def _table(entry: Entry, key: Key) -> Table:
    """That of `entry`, if `key` may lead there. Raises _ConflictError."""
    value = entry.value
    if isinstance(value, Table) and value.kind is not TableKind.INLINE:
        return value
    raise _not_a_table(entry, key)


def _not_a_table(entry: Entry, key: Key) -> _ConflictError:
    message = f"{_called('Key', key)} already has a value: nothing can stand under it"
    return _ConflictError(key, message, entry)


def _writable(table: Table) -> tuple[Table, _Entries]:
    """The same table, and its entries, which can be added to."""
    entries = table.entries
    if isinstance(entries, dict):
        return table, entries
    entries = dict(entries)
    return table.having(entries), entries


def _called(what: str, key: Key) -> str:
    """`key` in a message, without its name if that is in quotes: a broken text may have a secret
    there."""
    is_bare = len(key.name) == key.span.end - key.span.start
    return f"{what} `{key.name}`" if is_bare else f"This {what.lower()}"
