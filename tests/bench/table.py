"""One measurement beside what it is measured against, and the table of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEAD = "| | ratls-ls | beside | | ratio | aim | |\n|---|---|---|---|---|---|---|\n"


@dataclass(frozen=True, slots=True)
class Row:
    """`ours` and `theirs` in `unit`; `beside`: what ours is measured against. `aim`: what the
    project wants, if anything, and `met` whether this run had it."""

    what: str
    ours: float
    beside: str
    theirs: float
    unit: str = "ms"
    aim: str = ""
    met: bool = True

    @property
    def ratio(self) -> float:
        return self.ours / max(self.theirs, 1e-9)

    def __str__(self) -> str:
        ours, theirs = (_figure(float(value), self.unit) for value in (self.ours, self.theirs))
        kept = "" if not self.aim else "yes" if self.met else "**no**"
        aim = f"{self.aim} | {kept}"
        return f"| {self.what} | {ours} | {self.beside} | {theirs} | {self.ratio:.2f} | {aim} |"


def at_most(
    limit: float, what: str, ours: float, beside: str, theirs: float, unit: str = "ms"
) -> Row:
    """A row whose ratio is to be no more than `limit`."""
    met = ours <= limit * theirs
    return Row(what, ours, beside, theirs, unit, f"ratio ≤ {limit:g}", met)


def table(rows: Iterable[Row]) -> str:
    """In Markdown."""
    return _HEAD + "".join(f"{row}\n" for row in rows)


def medians(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Of ours and of theirs, that took turns: what else the machine does falls on both alike."""
    ours, theirs = zip(*pairs, strict=True)
    return statistics.median(ours), statistics.median(theirs)


def _figure(value: float, unit: str) -> str:
    digits = 0 if value >= 100 or value.is_integer() else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()
