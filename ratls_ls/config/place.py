"""What stands at an offset: for hover, completion, definition and the like.

Invariant: only the section around the offset is looked at, so an answer costs the same in a file
of any length, and broken text elsewhere changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from .tables import ConfigFile
from .toml.values import Array, Key, Table, Value, shifted_header, shifted_statement


@dataclass(frozen=True, slots=True)
class Place:
    """A key or value that a cursor touches. Spans are absolute.

    `path`: names of all keys down to it, those of the header included; what is in an array has
    the path of the array. `key`: the key of `path`'s last name, in this spelling. `value`: the
    innermost value under the cursor; None when it is on the key.
    """

    path: tuple[str, ...]
    key: Key
    value: Value | None


def header_path(file: ConfigFile, offset: int) -> tuple[str, ...] | None:
    """Names in the header of the section around `offset`; () at the top of the file, None if the
    header cannot be read."""
    _, section = file.document.section_at(offset)
    if section.lost:
        return None
    return tuple(key.name for key in section.header.keys) if section.header else ()


def place_at(file: ConfigFile, offset: int) -> Place | None:
    """The key or value that a cursor at `offset` touches; None in comments, blanks and the like."""
    start, section = file.document.section_at(offset)
    names: tuple[str, ...] = ()
    if section.header is not None:
        header = shifted_header(section.header, start)
        if header.span.contains(offset):
            return _on_key(header.keys, (), offset)
        names = tuple(key.name for key in header.keys)
    for statement in section.statements:
        if statement.span.contains(offset - start):
            keys, value, _, _ = shifted_statement(statement, start)
            return _on_key(keys, names, offset) or _in_value(
                value, (*names, *(key.name for key in keys)), keys[-1], offset
            )
    return None


def _on_key(keys: tuple[Key, ...], names: tuple[str, ...], offset: int) -> Place | None:
    for count, key in enumerate(keys, start=1):
        if key.span.contains(offset):
            return Place((*names, *(key.name for key in keys[:count])), key, None)
    return None


def _in_value(value: Value, path: tuple[str, ...], key: Key, offset: int) -> Place | None:
    if not value.span.contains(offset):
        return None
    match value:
        case Array():
            inner = (_in_value(item, path, key, offset) for item in value.items)
        case Table():
            inner = (_in_entry(value, name, path, offset) for name in value.entries)
        case _:
            return Place(path, key, value)
    return next((place for place in inner if place is not None), Place(path, key, value))


def _in_entry(table: Table, name: str, path: tuple[str, ...], offset: int) -> Place | None:
    entry = table.entries[name]
    for key in entry.keys:
        if key.span.contains(offset):
            return Place((*path, name), key, None)
    if isinstance(entry.value, Table) and not entry.value.span.contains(offset):
        # A dotted key's table has no brackets around it: its entries stand anywhere further on.
        inner = (
            _in_entry(entry.value, child, (*path, name), offset) for child in entry.value.entries
        )
        return next((place for place in inner if place is not None), None)
    return _in_value(entry.value, (*path, name), entry.key, offset)
