"""One section of TOML, a header and the statements under it, read on its own.

Invariant: a section's reading depends on its own text alone and its spans count from its first
character, so it can be kept for as long as that text stands anywhere in the file.
"""

from __future__ import annotations

from dataclasses import field

from .record import record
from .recover import recover
from .tree import Failure, Reading, read_valid
from .values import Header, Issue, Statement


@record(slots=True)
class Section:
    """Compared by identity.

    `header` is None for what stands before the first one. `lost`: the header cannot be read, so
    nobody knows where the statements belong. `ends_early`: not TOML by itself, but the beginning
    of TOML; more text may complete it. `failure`: not TOML although each statement is: they do not
    go together.
    """

    text: str = field(repr=False)
    header: Header | None = None
    statements: tuple[Statement, ...] = ()
    issues: tuple[Issue, ...] = ()
    lost: bool = False
    ends_early: bool = False
    failure: Failure | None = None


def read_section(text: str) -> Section:
    """The reading of one section. `text` has no byte order mark and no unpaired surrogate."""
    reading = read_valid(text)
    if isinstance(reading, Reading):
        return Section(text, reading.header, reading.statements)
    ends_early = reading.position >= len(text)
    header, statements, issues, lost = recover(text)
    failure = None if issues else reading
    return Section(text, header, statements, issues, lost, ends_early, failure)
