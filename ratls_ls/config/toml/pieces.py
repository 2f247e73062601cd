"""Where a piece of TOML ends: brackets and quotes may reach over what looks like a new start.

Invariant: of valid TOML every cut is right; of broken TOML an open bracket or quote reaches no
further than what it could hold.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .tree import grammar_failure

_BRACKET = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"""|\'\'\''
    r'|"(?:[^"\\\n]|\\[^\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]',
    re.DOTALL,
)


def split(text: str, candidates: Sequence[int]) -> list[int]:
    """Those of `candidates` (see `next_start`) where a piece of `text` really starts."""
    starts = []
    index = 0
    while index < len(candidates):
        start = candidates[index]
        starts.append(start)
        end = candidates[index + 1] if index + 1 < len(candidates) else len(text)
        failure = grammar_failure(text[start:end])
        early = failure is not None and failure.position >= end - start
        index = next_start(text, candidates, index) if early else index + 1
    return starts


def next_start(text: str, candidates: Sequence[int], index: int) -> int:
    """Where the next piece of TOML starts, for the one at `candidates[index]` that ends early.

    `candidates`: sorted offsets where a piece may start, though some may stand inside an open
    string or array. The answer is an index, `index + 1` if nothing completes this piece.
    """
    following = index + 1
    if following >= len(candidates):
        return following
    start = candidates[index]
    end = candidates[following + 1] if following + 1 < len(candidates) else len(text)
    failure = grammar_failure(text[start:end])
    if failure is None:
        return following + 1
    if start + failure.position < end:
        # Complete only if what is wrong comes after the end of the open string or array.
        line = text.rfind("\n", start, start + failure.position) + 1
        completed = line > candidates[following] and grammar_failure(text[start:line]) is None
        return following + 1 if completed else following
    closed = _first_outside(text, candidates, index)
    return following if closed is None else closed


def _first_outside(text: str, candidates: Sequence[int], index: int) -> int | None:
    """The first candidate after `index` that no bracket or string opened since then reaches over;
    None if one stays open to the end."""
    depth = 0
    following = index + 1
    for match in _BRACKET.finditer(text, candidates[index]):
        while following < len(candidates) and candidates[following] <= match.start():
            if depth <= 0:
                return following
            following += 1
        if match.group() in ('"""', "'''"):
            return None
        depth += _depth(match.group())
        while following < len(candidates) and candidates[following] < match.end():
            following += 1
    return None if depth > 0 else following


def stays_open(text: str) -> bool:
    """Whether a bracket or a multi-line string of `text` is still open at its end."""
    depth = 0
    for match in _BRACKET.finditer(text):
        found = match.group()
        if found in ('"""', "'''"):
            return True
        depth += _depth(found)
    return depth > 0


def _depth(found: str) -> int:
    return (found in "[{") - (found in "]}")
