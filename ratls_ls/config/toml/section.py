"""One section of TOML, a header and the statements under it, read on its own.

Invariant: a section's reading depends on its own text alone and its spans count from its first
character, so it can be kept for as long as that text stands anywhere in the file.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, NamedTuple

from ratls_ls.config.record import record

from .recover import recover, reread, statement_starts
from .tree import Failure, Reading, read_valid
from .values import (
    Entry,
    Header,
    Issue,
    Statement,
    entries_of,
    shifted_entry,
    shifted_issue,
    statement_of,
)


class Outline(NamedTuple):
    """Of a section, what says which others may touch the same tables: the names in its header, None
    where there is none, and the first names of its keys, if the header has but one."""

    first: str | None
    second: str | None
    of_tables: bool
    sets: frozenset[str]


class Rows(NamedTuple):
    """Of a section in which each statement stands by itself: it has a key of one part that no other
    has, and starts a line; nothing else looks like one. `starts`: where those lines start;
    `entries`: what they set."""

    starts: tuple[int, ...]
    entries: Mapping[str, Entry]


@record(slots=True)
class Section:
    """Compared by identity.

    `header` is None for what stands before the first one. `lost`: the header cannot be read, so
    nobody knows where the statements belong, or is not closed, and there are none yet.
    `ends_early`: not TOML by itself, but the beginning of TOML; more text may complete it.
    `failure`: not TOML although each statement is: they do not go together. `kept`: what others
    worked out from this section alone. `rows`: None where that is not known, too; what it has is
    not in `others`.
    """

    text: str = field(repr=False)
    outline: Outline
    header: Header | None = None
    others: tuple[Statement, ...] = ()
    issues: tuple[Issue, ...] = ()
    lost: bool = False
    ends_early: bool = False
    failure: Failure | None = None
    kept: dict[object, Any] = field(default_factory=dict, repr=False)
    rows: Rows | None = None

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All of it, in order."""
        if self.rows is None:
            return self.others
        return tuple([statement_of(entry) for entry in self.rows.entries.values()])


def read_section(text: str, before: Section | None = None) -> Section:
    """The reading of one section. `text` has no byte order mark and no unpaired surrogate.
    `before`: of another text; makes it fast if that differs in one statement."""
    known = _changed(before, text) if before is not None else None
    if known is not None:
        return known
    reading = read_valid(text)
    if isinstance(reading, Reading):
        header, statements = reading
        outline = _outline(header, statements)
        rows = _rows(text, statements)
        return Section(text, outline, header, statements if rows is None else (), rows=rows)
    ends_early = reading.position >= len(text)
    header, statements, issues, lost = recover(text)
    failure = None if issues else reading
    outline = _outline(header, statements)
    return Section(text, outline, header, statements, issues, lost, ends_early, failure)


def _rows(text: str, statements: Sequence[Statement]) -> Rows | None:
    """Those of TOML; None if its statements do not each stand by themselves."""
    starts = statement_starts(text)
    if len(starts) != len(statements):
        return None
    for start, statement in zip(starts, statements, strict=True):
        if len(statement.keys) > 1 or text[start : statement.span.start].strip(" \t"):
            return None
    entries = entries_of(statements)
    return Rows(starts, entries) if len(entries) == len(starts) else None


def _changed(before: Section, text: str) -> Section | None:
    """The reading of `text`, if nothing but one statement differs from `before`. None if more does,
    or if that is not certain."""
    if before.rows is None:
        return None
    old, (starts, entries) = before.text, before.rows
    row = bisect_left(starts, True, key=lambda start: old[:start] != text[:start]) - 1
    if row < 0:
        return None
    start, by = starts[row], len(text) - len(old)
    end = starts[row + 1] if row + 1 < len(starts) else len(old)
    is_line = end == len(old) or text[start : end + by].endswith("\n")
    if not is_line or text[end + by :] != old[end:]:
        return None
    found = reread(text, start, end + by, before.header)
    if found is None or found.header is not before.header or len(found.statements) != 1:
        return None
    changed, names = entries_of(found.statements), list(entries)
    if names[row] not in changed or len(found.statements[0].keys) > 1:
        return None
    # In their order.
    changed = {**entries, **changed}
    if by:
        for name in names[row + 1 :]:
            changed[name] = shifted_entry(entries[name], by)
    issues = found.issues
    if before.issues:
        issues = (
            *[issue for issue in before.issues if issue.span.start < start],
            *issues,
            *[shifted_issue(issue, by) for issue in before.issues if issue.span.start >= end],
        )
    starts = (*starts[: row + 1], *[start + by for start in starts[row + 1 :]])
    rows = Rows(starts, changed)
    return Section(text, before.outline, before.header, issues=issues, rows=rows)


def _outline(header: Header | None, statements: Iterable[Statement]) -> Outline:
    first, second, of_tables = None, None, False
    if header is not None:
        first, of_tables = header.keys[0].name, header.of_tables
        second = header.keys[1].name if len(header.keys) > 1 else None
    sets = (statement.keys[0].name for statement in statements if second is None)
    return Outline(first, second, of_tables, frozenset(sets))
