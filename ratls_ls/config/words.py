"""Small helpers for what people read.

Invariant: whatever a file or server says is shown short and without control characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 60
# What known services begin their keys with, and more behind it than a name has: so many letters and
# digits in a row.
_KEY = re.compile(
    r"""(?x)(?<![A-Za-z0-9])
    (?: hf_[A-Za-z0-9]{30}
      | (?: (?:sk|csk|xai|pplx|nvapi|glpat|xox[a-z])- | (?:sk|pk|rk|gsk|r8|gh[a-z]|github_pat)_
          | AKIA | ASIA | AIza | eyJ )
        (?:[A-Za-z0-9]{1,15}[-_]){0,5}
        (?=[A-Za-z]{0,60}[0-9])[A-Za-z0-9]{16} )
    (?:[\w-]|\.(?=\w))*"""
)


def nearest(name: str, names: Iterable[str], *, likeness: float = 0.75) -> str | None:
    """The one of `names` that `name` was probably meant to be; case does not count. `likeness`: how
    much of both must be the same, from 0 to 1."""
    from difflib import get_close_matches  # most who need words look for no others

    if len(name) > _LONGEST:
        return None
    by_lower_case = {candidate.lower(): candidate for candidate in names}
    matches = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=likeness)
    if not matches:  # a known word with something added
        matches = [known for known in by_lower_case if name.lower().startswith(known)]
    return by_lower_case[max(matches, key=len)] if matches else None


def slips(name: str, word: str) -> int:
    """How many characters of either have no counterpart in the other, in that order."""
    from difflib import SequenceMatcher

    blocks = SequenceMatcher(None, name, word, autojunk=False).get_matching_blocks()
    return max(len(name), len(word)) - sum(block.size for block in blocks)


def shown(text: str) -> str:
    """`text` within a line of a message."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return _replaced(short, keep="")


def holds_key(text: str) -> bool:
    """Whether a service's key stands in `text`, by the form that such keys have."""
    return _KEY.search(text) is not None


def without_keys(text: str) -> str:
    return _KEY.sub("•••", text)


def printable(text: str) -> str:
    """`text`, as long as it is, without what a terminal or an editor obeys: control characters but
    for line feeds and tabs, and what changes the direction of others."""
    return text if text.isprintable() else _replaced(text, keep="\n\t")


def _replaced(text: str, *, keep: str) -> str:
    return "".join(c if c.isprintable() or c in keep else "\N{REPLACEMENT CHARACTER}" for c in text)


def sentence(clause: str) -> str:
    """`clause` as a sentence of its own."""
    return clause[:1].upper() + clause[1:] + "."
