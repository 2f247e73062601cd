"""A profile's file over the user's own config, as Codex lays it there: key by key.

Invariant: what the base says stands behind the end of the text, so whatever points there is about
the base's own text, not about this one.
"""

from __future__ import annotations

from collections.abc import Mapping

from .dotted_ids import is_cut
from .keys import PROVIDERS
from .lost import losing
from .span import Span
from .tables import Base, ConfigFile, ProviderTable
from .toml.values import Table, Value, shifted_entry

UNREADABLE = Base((), whole=False, sound=False)
"""A base that is there, or may be, of which nothing can be read."""


def base_of(file: ConfigFile) -> Base:
    """`file` as what another is laid over."""
    tables = tuple([table for _, part in file.parts for table in part.providers])
    astray = any(part.loses_policy for _, part in file.parts)
    astray = astray or any(is_cut(table.relative_entry.key) for table in tables)
    lost = any(losing(file.document.issues, file.document.sections))
    return Base(tables, whole=not file.document.issues, sound=not (astray or lost))


def laid_over(root: Table, below: Mapping[str, ProviderTable], end: int) -> Table:
    """`root` with what those of its providers say that are in `below`, too, from `end` on."""
    providers = root.entries.get(PROVIDERS)
    if providers is None or not isinstance(providers.value, Table):
        return root
    inner = {
        name: entry._replace(value=_over(entry.value, _behind(below[name], end)))
        if name in below
        else entry
        for name, entry in providers.value.entries.items()
    }
    merged = providers._replace(value=providers.value.having(inner))
    return root.having({**root.entries, PROVIDERS: merged})


def left_below(file: ConfigFile) -> str | None:
    """The attested provider that a profile selects and leaves as the user's own config has it."""
    named = file.default
    if named is None or file.base is None or named.id in file.providers:
        return None
    table = file.base.by_id.get(named.id)
    return named.id if table is not None and table.attested else None


def stands_behind(span: Span, end: int) -> bool:
    """Whether a span in what `laid_over` gave is one of the base."""
    return span.end > end


def _behind(table: ProviderTable, end: int) -> Value:
    return shifted_entry(table.relative_entry, end + 1).value


def _over(own: Value, below: Value) -> Value:
    if not isinstance(own, Table) or not isinstance(below, Table):
        return own
    entries = {**own.entries}
    for name, entry in below.entries.items():
        there = entries.get(name)
        entries[name] = (
            entry if there is None else there._replace(value=_over(there.value, entry.value))
        )
    return own.having(entries)
