"""Smallest text edits that change a table and keep its comments, order and formatting.

Invariant: an edit touches nothing but what it is for; where it cannot be made so, there is none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from .keys import PROVIDERS
from .problem import Edit
from .span import Span
from .tables import ProviderTable
from .toml.values import Array, Entry, Table, TableKind

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_WEAKENS = " (weakens the policy)"


def quoted(text: str) -> str:
    """`text` as a TOML basic string, with escapes for what an editor would not show. JSON's escapes
    are TOML's."""
    string = json.dumps(text, ensure_ascii=False)
    return string if string.isprintable() else "".join(map(_escaped, string))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def spelled(name: str) -> str:
    """`name` as a part of a key."""
    return name if _BARE_KEY.fullmatch(name) else quoted(name)


def weakening(title: str) -> str:
    """The title of a fix that makes a policy accept more."""
    return title + _WEAKENS


def add_key(provider: ProviderTable, path: tuple[str, ...], key: str, value: str) -> Edit | None:
    """`key = value` added to the table at `path` of a provider; None where that has no table.

    `value`: TOML text.
    """
    return add_keys(provider, path, [((key,), value)])


def add_keys(
    provider: ProviderTable, path: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], str]]
) -> Edit | None:
    """As `add_key`, for several keys, each with its path under the table."""
    table = provider.table if not path else provider.table.get(*path)
    if not isinstance(table, Table) or provider.broken:
        return None
    statements = [f"{'.'.join(map(spelled, key))} = {value}" for key, value in values]
    if table.kind is TableKind.INLINE:
        return _add_inline(table, ", ".join(statements))
    own = [entry for entry in table if _is_statement(entry)]
    if own:
        last = max(own, key=lambda entry: entry.line_end)
        lead = _before_key(provider, last)
        if lead is None:
            return None
        added = "".join(provider.newline + lead + statement for statement in statements)
        return _insert(last.line_end, added)
    lines = provider.newline.join(statements)
    if table.kind is TableKind.IMPLICIT:
        return _add_header(provider, table, path, lines)
    return None if table.line_end is None else _insert(table.line_end, provider.newline + lines)


def innermost(provider: ProviderTable, path: tuple[str, ...]) -> tuple[str, ...]:
    """As much of `path` as has a table; keys of those that are missing can be added by dots."""
    while path and provider.table.get(*path) is None:
        path = path[:-1]
    return path


def remove_key(provider: ProviderTable, entry: Entry, *, with_comment: bool = False) -> Edit | None:
    """`entry` removed, with its line if nothing else stands there. Only for `key = value`.
    `with_comment`: what stands behind it goes with it."""
    if not _is_statement(entry):
        return None
    before = provider.line_before(entry.span.start)
    after = provider.source(Span(entry.span.end, entry.line_end))
    if before is None or after is None or before.strip():
        return None
    if after.strip() and not with_comment:
        return Edit(Span(entry.span.start, entry.line_end - len(after.lstrip())), "")
    end = entry.line_end
    break_after = provider.source(Span(end, end + len(provider.newline)))
    if break_after == provider.newline:
        end += len(provider.newline)
    return Edit(Span(entry.span.start - len(before), end), "")


def remove_item(provider: ProviderTable, array: Array, index: int) -> Edit | None:
    """Element `index` removed with its comma; comments stay."""
    item = array.items[index].span
    after = provider.source(Span(item.end, array.span.end))
    before = provider.line_before(item.start)
    if after is None or before is None:
        return None
    comma = re.match(r"[ \t]*,[ \t]*", after)
    if comma is not None:
        end = item.end + comma.end()
        line_break = re.match(r"\r?\n", after[comma.end() :])
        if line_break is not None and not before.strip():
            return Edit(Span(item.start - len(before), end + line_break.end()), "")
        return Edit(Span(item.start, end), "")
    alone = re.match(r"[ \t]*\r?\n", after)
    if alone is not None and not before.strip():
        return Edit(Span(item.start - len(before), item.end + alone.end()), "")
    if index == 0:
        return Edit(item, "")
    previous = array.items[index - 1].span
    between = provider.source(Span(previous.end, item.start))
    if between is not None and not between.replace(",", "", 1).strip():
        return Edit(Span(previous.end, item.end), "")
    return Edit(item, "")


def add_item(array: Array, item: str) -> Edit:
    """`item`, TOML text, added at the end of `array`."""
    if not array.items:
        return _insert(array.span.start + 1, item)
    return _insert(array.items[-1].span.end, f", {item}")


def _add_inline(table: Table, statement: str) -> Edit:
    if not table.entries:
        return Edit(table.span, f"{{ {statement} }}")
    end = max(entry.span.end for entry in table)
    return _insert(end, f", {statement}")


def _add_header(
    provider: ProviderTable, table: Table, path: tuple[str, ...], statement: str
) -> Edit | None:
    names = ".".join(spelled(name) for name in (PROVIDERS, provider.id, *path))
    first = min((entry.span.start for entry in table), default=None)
    if first is None:
        return None
    newline = provider.newline
    return _insert(first, f"[{names}]{newline}{statement}{newline}{newline}")


def _is_statement(entry: Entry) -> bool:
    """Whether `entry` is a `key = value`, not a table under a header."""
    value = entry.value
    if isinstance(value, Table):
        return value.kind is TableKind.INLINE
    return not (isinstance(value, Array) and value.of_tables)


def _before_key(provider: ProviderTable, entry: Entry) -> str | None:
    """What stands on the line before the last part of a key: indentation, dotted prefix."""
    line = provider.line_before(entry.span.start)
    prefix = provider.source(Span(entry.span.start, entry.key.span.start))
    return None if line is None or prefix is None or line.strip() else line + prefix


def _insert(at: int, text: str) -> Edit:
    return Edit(Span(at, at), text)
