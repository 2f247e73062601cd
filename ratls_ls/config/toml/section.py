"""One section of TOML, a header and the statements under it, read on its own.

Invariant: a section's reading depends on its own text alone and its spans count from its first
character, so it can be kept for as long as that text stands anywhere in the file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Any, NamedTuple

from ratls_ls.config.record import record

from .recover import recover
from .tree import Failure, Reading, read_valid
from .values import Header, Issue, Statement


class Outline(NamedTuple):
    """Of a section, what says which others may touch the same tables: the names in its header, None
    where there is none, and the first names of its keys, if the header has but one."""

    first: str | None
    second: str | None
    of_tables: bool
    sets: frozenset[str]


@record(slots=True)
class Section:
    """Compared by identity.

    `header` is None for what stands before the first one. `lost`: the header cannot be read, so
    nobody knows where the statements belong. `ends_early`: not TOML by itself, but the beginning
    of TOML; more text may complete it. `failure`: not TOML although each statement is: they do not
    go together. `kept`: what others worked out from this section alone.
    """

    text: str = field(repr=False)
    outline: Outline
    header: Header | None = None
    statements: tuple[Statement, ...] = ()
    issues: tuple[Issue, ...] = ()
    lost: bool = False
    ends_early: bool = False
    failure: Failure | None = None
    kept: dict[object, Any] = field(default_factory=dict, repr=False)


def read_section(text: str) -> Section:
    """The reading of one section. `text` has no byte order mark and no unpaired surrogate."""
    reading = read_valid(text)
    if isinstance(reading, Reading):
        outline = _outline(reading.header, reading.statements)
        return Section(text, outline, reading.header, reading.statements)
    ends_early = reading.position >= len(text)
    header, statements, issues, lost = recover(text)
    failure = None if issues else reading
    outline = _outline(header, statements)
    return Section(text, outline, header, statements, issues, lost, ends_early, failure)


def _outline(header: Header | None, statements: Iterable[Statement]) -> Outline:
    first, second, of_tables = None, None, False
    if header is not None:
        first, of_tables = header.keys[0].name, header.of_tables
        second = header.keys[1].name if len(header.keys) > 1 else None
    sets = (statement.keys[0].name for statement in statements if second is None)
    return Outline(first, second, of_tables, frozenset(sets))
