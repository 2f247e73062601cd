"""What a name outside of a provider's tables can only have been meant to be.

Invariant: a word that no other program has is known whatever its value is; one that others may
have, and one with a slip in it, by its value too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from .keys import RATLS_POLICY, find
from .meant import NO_SUCH_PIN, POLICY_PATHS, REGISTER, plain
from .toml.document import Placed, section_at
from .toml.section import Section
from .toml.values import Invalid, Issue, Scalar, Table, Value, integer_of, string_of
from .words import slips


class Lost(Enum):
    """What something is that stands where nobody reads it. The value: as it is written."""

    POLICY = "ratls_policy"
    SWITCH = "use_ratls"
    SELECTION = "model_provider"


class Spelling(NamedTuple):
    """The word that a name is a spelling of, and whether letters differ."""

    word: str
    slip: bool


_NICKNAME = "ratls"
_GRACE_PERIOD = "grace_period"
# Words of a policy that other programs have as well.
_COMMON = frozenset(("tee_type", "pccs_url", _GRACE_PERIOD))
_MANY_LETTERS = 8
_HEADER_ALONE = re.compile(
    r"[ \t]*\[[^\]=#\r\n]*+\]*[ \t]*(#[^\r\n]*)?(\r?\n[ \t]*(#[^\r\n]*)?)*\r?"
)
_DIGITS = re.compile(r"(0x)?[0-9a-f\s:_-]{16,}", re.IGNORECASE)


def _joined(name: str) -> str:
    return plain(name).replace("_", "")


_WORDS = {_joined(word): word for word in (*POLICY_PATHS, *(lost.value for lost in Lost))}
_POLICY_WORD = re.compile("|".join(sorted(POLICY_PATHS.keys() - _COMMON)), re.IGNORECASE)


def lost_in(name: str, value: Value, *, among_others: bool = False) -> Lost | None:
    """What `name` was meant to be; None if it may well be another program's. `among_others`: it is
    one of names that another program chose, of variables, headers or parameters."""
    spelling = spelling_of(name)
    is_string = string_of(value) is not None
    if among_others and is_string and (spelling is None or _is_others(name, spelling)):
        return None
    if isinstance(value, Scalar) and isinstance(value.value, bool):
        word = spelling.word if spelling is not None else None
        if word == Lost.SWITCH.value or (word in (None, _NICKNAME) and _NICKNAME in _joined(name)):
            return Lost.SWITCH
    match spelling:
        case None:
            return None
        case (Lost.SELECTION.value, _):
            return Lost.SELECTION if is_string else None
        case (Lost.SWITCH.value, slip):
            return None if slip else Lost.SWITCH
        case (word, slip):
            return Lost.POLICY if _may_be(word, value, slip=slip) else None


@lru_cache(maxsize=4096)  # asked of every name outside of providers
def spelling_of(name: str) -> Spelling | None:
    """The word that `name` is, whatever its case and hyphens, with a slip for each eight letters;
    None if it is none of a policy, of the switch or of the selection."""
    joined = _joined(name)
    if joined == _NICKNAME or NO_SUCH_PIN.fullmatch(name):
        return Spelling(_WORDS.get(joined, joined), slip=False)
    if joined in _WORDS:
        return Spelling(_WORDS[joined], slip=False)
    # A dot before it is missing, or a number was added.
    if RATLS_POLICY.name in plain(name):
        return Spelling(RATLS_POLICY.name, slip=False)
    if register := REGISTER.search(plain(name)):
        return Spelling(_WORDS[_joined(register[0])], slip=False)
    # Dots in quotes are no dots.
    if (last := _joined(name.rpartition(".")[2])) in _WORDS:
        return Spelling(_WORDS[last], slip=False)
    for known, word in _WORDS.items():
        most = max(len(known) // 8, 1)
        if abs(len(known) - len(joined)) <= most and slips(joined, known) <= most:
            return Spelling(word, slip=True)
    return None


def speaks_of_policy(text: str) -> bool:
    """Whether a word that only a policy has stands in a text that cannot be read."""
    return _POLICY_WORD.search(text) is not None


def losing(issues: Iterable[Issue], sections: Sequence[Placed]) -> Iterator[tuple[Issue, Section]]:
    """Those of `issues` by which something may be lost, with the section that each stands in. Where
    nothing but blanks and comments stands under a header nothing is, whatever that is to be."""
    for issue in issues:
        _, section = section_at(sections, issue.span.start)
        if not _HEADER_ALONE.fullmatch(section.text):
            yield issue, section


def _is_others(name: str, spelling: Spelling) -> bool:
    """Variables are in capitals, headers have hyphens, and some words are not a policy's alone."""
    return (
        name != name.lower()
        or "-" in name
        or spelling.word in (*_COMMON, _NICKNAME)
        or spelling == (Lost.SELECTION.value, True)
    )


def _may_be(word: str, value: Value, *, slip: bool) -> bool:
    """Whether a name can be this word of a policy if it has this value, the right one or not."""
    if word == _NICKNAME:
        return isinstance(value, Table)
    if not slip or isinstance(value, Invalid):
        return True
    if isinstance(value, Table):
        model = find(*POLICY_PATHS[word])
        return model is not None and bool(model.children)
    if word in _COMMON:
        return word == _GRACE_PERIOD and integer_of(value) is not None
    # So few letters are soon another word's.
    return len(word) >= _MANY_LETTERS or _DIGITS.fullmatch(string_of(value) or "") is not None
