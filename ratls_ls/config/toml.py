"""TOML text to values with spans, whatever is wrong with it.

Invariant: text has issues if and only if it is not TOML 1.0; of valid text the values are those
that tomli gives. What an earlier document gives is speed, never another meaning.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from ratls_ls.cached import cached_property

from .merge import Merger
from .pieces import next_start
from .record import record
from .section import Section, read_section
from .span import Span
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
    """What a later document can take over: sections by text, groups by sections and distances."""

    sections: Mapping[str, Section] = field(default_factory=dict)
    groups: Mapping[tuple[object, ...], Group] = field(default_factory=dict)


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
        index = bisect_right(self.sections, offset, key=lambda placed: placed[0])
        return self.sections[max(index - 1, 0)]

    @cached_property
    def root(self) -> Table:
        """The whole text as one table."""
        return _group([placed for placed in self.sections if not placed[1].lost], 0).root


def parse(text: str, previous: Document | None = None) -> Document:
    """`text` as TOML. Never raises.

    `previous`: of (mostly) the same text; its unchanged parts are not read again.
    """
    before = previous.memory if previous else Memory()
    # An unpaired surrogate is no text; it is reported, and something takes its place.
    clean = text if text.isascii() else _SURROGATES.sub(lambda found: "?" * len(found[0]), text)
    sections, known_sections = _sections(clean, before.sections)
    known_groups: dict[tuple[object, ...], Group] = {}
    groups = []
    for members in _related([placed for placed in sections if not placed[1].lost]):
        base = members[0][0]
        key = tuple(part for start, section in members for part in (start - base, section))
        group = before.groups.get(key) or _group(members, base)
        known_groups[key] = group
        groups.append((base, group))
    groups.sort(key=lambda placed: placed[0])
    issues = sorted(_issues(text, sections, groups), key=lambda issue: issue.span)
    memory = Memory(known_sections, known_groups)
    return Document(text, tuple(sections), tuple(groups), tuple(issues), memory)


def _sections(text: str, before: Mapping[str, Section]) -> tuple[list[Placed], dict[str, Section]]:
    known: dict[str, Section] = {}

    def read(piece: str) -> Section:
        section = known.get(piece) or before.get(piece) or read_section(piece)
        known[piece] = section
        return section

    first = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    candidates = [first]
    candidates += [match.start() + 1 for match in _HEADER_START.finditer(text)]
    placed = []
    index = 0
    while index < len(candidates):
        start = candidates[index]
        following = index + 1
        section = read(text[start : _end(text, candidates, following)])
        if section.ends_early:
            following = next_start(text, candidates, index)
            section = read(text[start : _end(text, candidates, following)])
        placed.append((start, section))
        index = following
    return placed, known


def _end(text: str, candidates: Sequence[int], following: int) -> int:
    return candidates[following] if following < len(candidates) else len(text)


def _related(sections: Sequence[Placed]) -> Iterator[list[Placed]]:
    """The sections in sets that share no table in which both could set something.

    Sections are apart if they differ in the first part of their header, or in the second where
    nothing sets keys of the first.
    """
    top = [placed for placed in sections if placed[1].header is None]
    by_first: defaultdict[str, list[Placed]] = defaultdict(list)
    for placed in sections:
        header = placed[1].header
        if header is not None:
            by_first[header.keys[0].name].append(placed)
    names = {statement.keys[0].name for _, section in top for statement in section.statements}
    shared = sorted(names & by_first.keys())
    if top:
        yield sorted([*top, *(placed for name in shared for placed in by_first.pop(name))], key=_at)
    for members in by_first.values():
        yield from _apart(members)


def _apart(members: list[Placed]) -> Iterator[list[Placed]]:
    """Sections under one first name, apart by the second if that can be."""
    by_second: defaultdict[str | None, list[Placed]] = defaultdict(list)
    for placed in members:
        header = placed[1].header
        second = header.keys[1].name if header is not None and len(header.keys) > 1 else None
        by_second[second].append(placed)
    direct = by_second.get(None, [])
    set_there = {
        statement.keys[0].name for _, section in direct for statement in section.statements
    }
    is_table = all(section.header and not section.header.of_tables for _, section in direct)
    if len(direct) > 1 or not is_table or set_there & by_second.keys():
        yield members
    else:
        yield from by_second.values()


def _at(placed: Placed) -> int:
    return placed[0]


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
        Issue(issue.span.shifted(base), issue.message, issue.path)
        for base, group in groups
        for issue in group.issues
    ]
    yield from found
    for start, section in sections:
        for issue in section.issues:
            yield Issue(issue.span.shifted(start), issue.message, issue.path)
        if section.failure is not None:
            end = start + len(section.text)
            if not any(start <= issue.span.start < end for issue in found):
                at = start + min(section.failure.position, len(section.text) - 1)
                yield Issue(Span(at, at + 1), f"Not TOML: {section.failure.reason}", None)
    if not text.isascii():
        for match in _SURROGATES.finditer(text):
            yield Issue(Span(*match.span()), "Not text: half of a surrogate pair", None)
