"""TOML text to values with spans, whatever is wrong with it.

Invariant: text has issues if and only if it is not TOML 1.0; of valid text the values are those
that tomli gives. What an earlier document gives is speed, never another meaning.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from ratls_ls.cached import cached_property
from ratls_ls.config.record import record
from ratls_ls.config.span import Span

from .merge import Merger
from .pieces import Pieces
from .section import Outline, Section, read_section
from .values import Issue, Table, shifted_issue

BYTE_ORDER_MARK = "\ufeff"

# Much faster than a `^` that is tried at every character.
_HEADER_START = re.compile(r"\n[ \t]*\[")
_SURROGATES = re.compile("[\ud800-\udfff]+")

Placed = tuple[int, Section]


@record(slots=True)
class Group:
    """Sections that may touch the same tables, put together. Spans count from the start of the
    first of them. Compared by identity: the same sections at the same distances are one Group in
    every document that follows another. `kept`: what others worked out from it."""

    root: Table
    issues: tuple[Issue, ...]
    sections: tuple[Placed, ...] = field(repr=False)
    kept: dict[object, Any] = field(default_factory=dict, repr=False)


@record()
class Document:
    """A text as TOML. `sections` and `groups` come with where they start, in that order. `related`:
    which sections are in each group, counted without those that are lost. `settled`: none is lost,
    or reaches as far as it does because of what follows it.

    No table is in two groups, but for those that others stand under (`a` of `a.b`).
    """

    text: str = field(repr=False)
    sections: tuple[Placed, ...] = field(repr=False)
    groups: tuple[tuple[int, Group], ...] = field(repr=False)
    issues: tuple[Issue, ...]
    related: Sequence[Sequence[int]] = field(repr=False)
    settled: bool = field(repr=False)

    def section_at(self, offset: int) -> Placed:
        """The section around `offset`, with its place."""
        return section_at(self.sections, offset)

    @cached_property
    def root(self) -> Table:
        """The whole text as one table."""
        return _group([placed for placed in self.sections if not placed[1].lost], 0).root


def section_at(sections: Sequence[Placed], offset: int) -> Placed:
    """Of `sections`, the one around `offset`, with its place."""
    index = bisect_right(sections, offset, key=lambda placed: placed[0])
    return sections[max(index - 1, 0)]


def parse(text: str, previous: Document | None = None) -> Document:
    """`text` as TOML. Never raises.

    `previous`: of (mostly) the same text; its unchanged parts are not read again.
    """
    if previous is not None and (known := _following(text, previous)) is not None:
        return known
    before = {section.text: section for _, section in previous.sections} if previous else {}
    sections = tuple(_sections(_clean(text), before))
    read = [placed for placed in sections if not placed[1].lost]
    related = _related([section.outline for _, section in read])
    kept = {_key(group.sections, 0): group for _, group in previous.groups} if previous else {}
    groups = []
    for indexes in related:
        members = [read[index] for index in indexes]
        base = members[0][0]
        groups.append((base, kept.get(_key(members, base)) or _group(members, base)))
    settled = not any(section.lost or section.ends_early for _, section in sections)
    issues = _issues(text, sections, groups)
    return Document(text, sections, tuple(groups), issues, related, settled)


def _clean(text: str) -> str:
    """An unpaired surrogate is no text; it is reported, and something takes its place."""
    return text if text.isascii() else _SURROGATES.sub(lambda found: "?" * len(found[0]), text)


def _following(text: str, previous: Document) -> Document | None:
    """`text`, if it differs from `previous` within one section, which goes together with the same
    others as before: most keystrokes are such. None if it differs in more."""
    there, old, by = previous.sections, previous.text, len(text) - len(previous.text)
    if text == old:
        return previous
    index = bisect_left(there, True, key=lambda each: old[: each[0]] != text[: each[0]]) - 1
    if index < 0 or not previous.settled:
        return None
    start, section = there[index]
    end = start + len(section.text) + by
    if end <= start or text[end:] != old[end - by :] or not _is_piece(text, start, end):
        return None
    changed = read_section(_clean(text[start:end]), section)
    if changed.lost or changed.ends_early or changed.outline != section.outline:
        return None
    behind = [(place + by, each) for place, each in there[index + 1 :]]
    sections = (*there[:index], (start, changed), *behind)
    groups = []
    has_issues = bool(previous.issues or changed.issues or changed.failure)
    for indexes, (base, group) in zip(previous.related, previous.groups, strict=True):
        if indexes[0] > index:
            groups.append((base + by, group))
        elif indexes[-1] < index:
            groups.append((base, group))
        else:
            made = _group([sections[each] for each in indexes], base)
            groups.append((base, made))
            has_issues = has_issues or bool(made.issues)
    issues = _issues(text, sections, groups) if has_issues or not text.isascii() else ()
    return Document(text, sections, tuple(groups), issues, previous.related, settled=True)


def _is_piece(text: str, start: int, end: int) -> bool:
    """Whether one section reaches from `start` to `end`, where the next one starts, if no bracket
    or quote is open there."""
    first = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    starts = start == first or _HEADER_START.match(text, start - 1) is not None
    ends = end == len(text) or _HEADER_START.match(text, end - 1) is not None
    return starts and ends and _HEADER_START.search(text, start, end) is None


def _key(members: Sequence[Placed], base: int) -> tuple[object, ...]:
    """What is the same for the same sections at the same distances."""
    return tuple([part for start, section in members for part in (start - base, section)])


def _sections(text: str, before: Mapping[str, Section]) -> Iterator[Placed]:
    known: dict[str, Section] = {}

    def read(start: int, following: int) -> Section:
        piece = text[start : ends[following - 1]]
        section = known[piece] = before.get(piece) or known.get(piece) or read_section(piece)
        return section

    first = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    candidates = [first, *[match.start() + 1 for match in _HEADER_START.finditer(text)]]
    ends = [*candidates[1:], len(text)]
    pieces = Pieces(text, candidates)
    index = 0
    while index < len(candidates):
        start = candidates[index]
        following = index + 1
        section = read(start, following)
        if section.ends_early:
            following = pieces.next_start(index)
            section = read(start, following)
        yield start, section
        index = following


def _related(outlines: Sequence[Outline]) -> list[list[int]]:
    """Which sections may touch the same tables: their indexes, in sets that share no table in which
    both could set something, and in order.

    Sections are apart if they differ in the first part of their header, or in the second where
    nothing sets keys of the first.
    """
    top: list[int] = []
    names: set[str] = set()
    by_first: defaultdict[str, list[int]] = defaultdict(list)
    for index, outline in enumerate(outlines):
        if outline.first is None:
            top.append(index)
            names |= outline.sets
        else:
            by_first[outline.first].append(index)
    if top:
        for name in names & by_first.keys():
            top += by_first.pop(name)
    apart = [found for members in by_first.values() for found in _apart(members, outlines)]
    return sorted([*([sorted(top)] if top else []), *apart])


def _apart(members: list[int], outlines: Sequence[Outline]) -> Iterable[list[int]]:
    """Sections under one first name, apart by the second if that can be."""
    by_second: defaultdict[str | None, list[int]] = defaultdict(list)
    for index in members:
        by_second[outlines[index].second].append(index)
    direct = [outlines[index] for index in by_second.get(None, [])]
    set_there = {name for outline in direct for name in outline.sets}
    of_tables = any(outline.of_tables for outline in direct)
    if len(direct) > 1 or of_tables or set_there & by_second.keys():
        return [members]
    return by_second.values()


def _group(members: Sequence[Placed], base: int) -> Group:
    merger = Merger()
    for start, section in members:
        content = section.others if section.rows is None else section.rows.entries
        merger.add(section.header, content, start - base)
    placed = tuple((start - base, section) for start, section in members)
    return Group(merger.table(), tuple(merger.issues), placed)


def _issues(
    text: str, sections: Sequence[Placed], groups: Sequence[tuple[int, Group]]
) -> tuple[Issue, ...]:
    found = _found_issues(text, sections, groups)
    return tuple(sorted(found, key=lambda issue: issue.span))


def _found_issues(
    text: str, sections: Sequence[Placed], groups: Sequence[tuple[int, Group]]
) -> Iterator[Issue]:
    found = [shifted_issue(issue, base) for base, group in groups for issue in group.issues]
    yield from found
    for start, section in sections:
        if section.issues:
            for issue in section.issues:
                yield shifted_issue(issue, start)
        elif section.failure is not None:
            end = start + len(section.text)
            if not any(start <= issue.span.start < end for issue in found):
                at = start + min(section.failure.position, len(section.text) - 1)
                yield Issue(Span(at, at + 1), f"Not TOML: {section.failure.reason}", None)
    if not text.isascii():
        for match in _SURROGATES.finditer(text):
            yield Issue(Span(*match.span()), "Not text: half of a surrogate pair", None)
