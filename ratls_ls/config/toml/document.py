"""TOML text to values with spans, whatever is wrong with it.

Invariant: text has issues if and only if it is not TOML 1.0; of valid text the values are those
that tomli gives. What an earlier document gives is speed, never another meaning.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from ratls_ls.cached import cached_property
from ratls_ls.config.record import record
from ratls_ls.config.span import Span

from .merge import Merger
from .pieces import next_start
from .section import Outline, Section, read_section
from .values import Issue, Table

BYTE_ORDER_MARK = "\ufeff"

# Much faster than a `^` that is tried at every character.
_HEADER_START = re.compile(r"\n[ \t]*\[")
_SURROGATES = re.compile("[\ud800-\udfff]+")

Placed = tuple[int, Section]


@record(slots=True)
class Group:
    """Sections that may touch the same tables, put together. Spans count from the start of the
    first of them. Compared by identity: the same sections at the same distances are one Group in
    every document that follows another."""

    root: Table
    issues: tuple[Issue, ...]
    sections: tuple[Placed, ...] = field(repr=False)


@record(slots=True)
class Memory:
    """What a later document can take over: sections by text, groups by sections and distances, and
    which sections are `related` if they have these outlines."""

    sections: Mapping[str, Section] = field(default_factory=dict)
    groups: Mapping[tuple[object, ...], Group] = field(default_factory=dict)
    outlines: Sequence[Outline] = ()
    related: Sequence[Sequence[int]] = ()


@record()
class Document:
    """A text as TOML. `sections` and `groups` come with where they start, in that order.

    No table is in two groups, but for those that others stand under (`a` of `a.b`).
    """

    text: str = field(repr=False)
    sections: tuple[Placed, ...] = field(repr=False)
    groups: tuple[tuple[int, Group], ...] = field(repr=False)
    issues: tuple[Issue, ...]
    memory: Memory = field(repr=False)

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
    before = previous.memory if previous else Memory()
    # An unpaired surrogate is no text; it is reported, and something takes its place.
    clean = text if text.isascii() else _SURROGATES.sub(lambda found: "?" * len(found[0]), text)
    sections, known_sections = _sections(clean, before.sections)
    read = [placed for placed in sections if not placed[1].lost]
    outlines = [section.outline for _, section in read]
    # A keystroke seldom changes what belongs together.
    related = before.related if before.outlines == outlines else _related(outlines)
    known_groups: dict[tuple[object, ...], Group] = {}
    groups = []
    for indexes in related:
        members = [read[index] for index in indexes]
        base = members[0][0]
        key = tuple([part for start, section in members for part in (start - base, section)])
        group = before.groups.get(key) or _group(members, base)
        known_groups[key] = group
        groups.append((base, group))
    issues = sorted(_issues(text, sections, groups), key=lambda issue: issue.span)
    memory = Memory(known_sections, known_groups, outlines, related)
    return Document(text, tuple(sections), tuple(groups), tuple(issues), memory)


def _sections(text: str, before: Mapping[str, Section]) -> tuple[list[Placed], dict[str, Section]]:
    known: dict[str, Section] = {}

    def read(start: int, following: int) -> Section:
        piece = text[start : ends[following - 1]]
        section = known[piece] = before.get(piece) or known.get(piece) or read_section(piece)
        return section

    first = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    candidates = [first, *[match.start() + 1 for match in _HEADER_START.finditer(text)]]
    ends = [*candidates[1:], len(text)]
    placed = []
    index = 0
    while index < len(candidates):
        start = candidates[index]
        following = index + 1
        section = read(start, following)
        if section.ends_early:
            following = next_start(text, candidates, index)
            section = read(start, following)
        placed.append((start, section))
        index = following
    return placed, known


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
        merger.add(section.header, section.statements, start - base)
    placed = tuple((start - base, section) for start, section in members)
    return Group(merger.table(), tuple(merger.issues), placed)


def _issues(
    text: str, sections: Sequence[Placed], groups: Sequence[tuple[int, Group]]
) -> Iterator[Issue]:
    found = [
        issue._replace(
            span=issue.span.shifted(base), first=issue.first and issue.first.shifted(base)
        )
        for base, group in groups
        for issue in group.issues
    ]
    yield from found
    for start, section in sections:
        if section.issues:
            for issue in section.issues:
                yield Issue(issue.span.shifted(start), issue.message, issue.path)
        elif section.failure is not None:
            end = start + len(section.text)
            if not any(start <= issue.span.start < end for issue in found):
                at = start + min(section.failure.position, len(section.text) - 1)
                yield Issue(Span(at, at + 1), f"Not TOML: {section.failure.reason}", None)
    if not text.isascii():
        for match in _SURROGATES.finditer(text):
            yield Issue(Span(*match.span()), "Not text: half of a surrogate pair", None)
