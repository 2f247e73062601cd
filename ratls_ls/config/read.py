"""From text to what a Codex config says: its providers, who refers to them, and the rest.

Invariant: `read` is a function of the text and of its base alone; what a previous reading gives is
speed.
"""

from __future__ import annotations

from collections.abc import Mapping

from .lost import losing, speaks_of_policy
from .part import part_of, spoilt_by
from .tables import Base, ConfigFile, Part, ProviderTable, Reference
from .toml.document import Document, parse

__all__ = ["ConfigFile", "ProviderTable", "Reference", "read"]


def read(text: str, previous: ConfigFile | None = None, base: Base | None = None) -> ConfigFile:
    """The meaning of `text`. Never raises.

    `previous`: an earlier reading of (mostly) the same text; makes this one fast, changes nothing.
    `base`: the user's own config, if this is the file of a profile; None where there is none.
    """
    document = parse(text, previous.document if previous else None)
    below = base.by_id if base is not None else {}
    parts = []
    for start, group in document.groups:
        part: Part | None = group.kept.get(Part)
        # One whose providers are laid over the same as before is the same.
        if part is None or ((below or part.under) and part.under != _under(part, below)):
            part = group.kept[Part] = part_of(group, below)
        parts.append((start, part))
    spoilt = _spoilt(document) if document.issues else set()
    # What a base in doubt requires may be of any provider.
    in_doubt = base is not None and not base.sound
    in_doubt = in_doubt or any(part.loses_policy for _, part in parts)
    tables: dict[str, tuple[int, ProviderTable]] = {}
    references: list[Reference] = []
    for start, part in parts:
        for table in part.providers:
            at, trusted = start, table
            if spoilt and (table.id in spoilt or None in spoilt):
                trusted = table.judged(None, broken=table.id in spoilt)
            elif in_doubt:
                trusted = table.judged(None)
            if (first := tables.get(table.id)) is not None:
                # One of them has quotes, and the dot cuts the other.
                at, trusted = first[0], first[1].judged(None)
            tables[table.id] = (at, trusted)
        for id_, span, path in part.references:
            references.append(Reference(id_, span.shifted(start), path))
    return ConfigFile(text, document, tables, tuple(references), tuple(parts), base)


def _under(part: Part, below: Mapping[str, ProviderTable]) -> set[ProviderTable]:
    return {below[table.id] for table in part.providers if table.id in below}


def _spoilt(document: Document) -> set[str | None]:
    """Ids of providers of which something cannot be read; None stands for any of them."""
    spoilt: set[str | None] = set()
    elsewhere = set()
    for issue, section in losing(document.issues, document.sections):
        by_it = set(spoilt_by(issue))
        spoilt |= by_it
        if not by_it:
            elsewhere.add(section)
    # A policy may be among what cannot be read there.
    return spoilt | {None} if any(speaks_of_policy(each.text) for each in elsewhere) else spoilt
