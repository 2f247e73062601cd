"""Where a piece of TOML ends: brackets and quotes may reach over what looks like a new start.

Invariant: of valid TOML every cut is right; of broken TOML an open bracket or quote reaches no
further than what it could hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .tree import grammar_failure

# A bracket, or what hides some: a string, a comment.
BRACKET = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"""|\'\'\''
    r'|"(?:[^"\\\n]|\\[^\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]|\\[^\n]',
    re.DOTALL,
)
# Looks no further than a line goes.
_BRACKET_OR_LINE = re.compile(rf"{BRACKET.pattern}|\n", re.DOTALL)


class Pieces:
    """Pieces of `text`. `candidates`: sorted offsets where one may start, though some may stand
    inside an open string or array. No bracket is looked at for each piece that it is open in."""

    def __init__(self, text: str, candidates: Sequence[int]) -> None:
        self._text = text
        self._candidates = candidates
        self._outside: dict[int, int | None] = {}

    def starts(self) -> list[int]:
        """Those of the candidates where a piece really starts."""
        text, candidates = self._text, self._candidates
        starts = []
        index = 0
        while index < len(candidates):
            start = candidates[index]
            starts.append(start)
            end = candidates[index + 1] if index + 1 < len(candidates) else len(text)
            failure = grammar_failure(text[start:end])
            early = failure is not None and failure.position >= end - start
            index = self.next_start(index) if early else index + 1
        return starts

    def next_start(self, index: int) -> int:
        """Where the next piece of TOML starts, for the one at `candidates[index]` that ends early:
        an index, `index + 1` if nothing completes this piece."""
        text, candidates = self._text, self._candidates
        following = index + 1
        if following >= len(candidates):
            return following
        start = candidates[index]
        end = candidates[following + 1] if following + 1 < len(candidates) else len(text)
        failure = grammar_failure(text[start:end])
        if failure is None:
            return following + 1
        if start + failure.position >= end and (outside := self._first_outside(index)) is not None:
            return outside
        # Complete only if what is wrong comes after the end of the open string or array.
        closed = statement_end(text, start, end, candidates[following])
        completed = closed < end and grammar_failure(text[start:closed]) is None
        return following + 1 if completed else following

    def _first_outside(self, index: int) -> int | None:
        """The first candidate after `index` that no bracket or string opened since then reaches
        over; None if one stays open to the end."""
        if index not in self._outside:
            self._follow(index)
        return self._outside[index]

    def _follow(self, index: int) -> None:
        """Finds what is first outside of the candidate at `index`, and of those on the way."""
        candidates = self._candidates
        depth, following = 0, index + 1
        inside = [(index, depth)]  # those that nothing is outside of yet, ever deeper
        for match in BRACKET.finditer(self._text, candidates[index]):
            while following < len(candidates) and candidates[following] <= match.start():
                self._leave(inside, following, depth)
                if index in self._outside:
                    return
                inside.append((following, depth))
                following += 1
            if match.group() in ('"""', "'''"):
                self._outside.update((each, None) for each, _ in inside)
                return
            depth += _depth(match.group())
            # What stands inside a string has others behind it.
            while following < len(candidates) and candidates[following] < match.end():
                following += 1
        self._leave(inside, following, depth)
        self._outside.update((each, None) for each, _ in inside)

    def _leave(self, inside: list[tuple[int, int]], following: int, depth: int) -> None:
        """The candidate `following` is outside of those of `inside` that are as deep or deeper."""
        while inside and inside[-1][1] >= depth:
            self._outside[inside.pop()[0]] = following


def statement_end(text: str, start: int, end: int, beyond: int = 0) -> int:
    """Behind the first line from `start` on, and `beyond` an offset, at whose end no bracket or
    multi-line string is open; `end` if one stays open."""
    depth = 0
    for match in _BRACKET_OR_LINE.finditer(text, start, end):
        found = match.group()
        if found == "\n" and depth <= 0 and match.start() >= beyond:
            return match.end()
        if found in ('"""', "'''"):
            return end
        depth += _depth(found)
    return end


def _depth(found: str) -> int:
    return (found in "[{") - (found in "]}")
