"""An attestation result for a person."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ratls_ls.config.words import printable
from ratls_ls.rats.result import AttestationResult, Claim, ClaimName, ClaimVerdict

_MARKS = {
    ClaimVerdict.PASSED: ("✓", "green"),
    ClaimVerdict.FAILED: ("✗", "bold red"),
    ClaimVerdict.NOT_REACHED: ("·", "dim"),
    ClaimVerdict.NOT_REQUIRED: ("–", "dim"),
}


_WIDTH = max(map(len, ClaimName))
_UNBROKEN = 10_000  # columns


def screen(*, quiet: bool = False) -> Console:
    """stdout: in colour on a terminal unless NO_COLOR is set; in a pipe no line is broken."""
    width = None if sys.stdout.isatty() else _UNBROKEN
    return Console(highlight=False, width=width, quiet=quiet)


def show_result(console: Console, result: AttestationResult, provider: str | None) -> None:
    """The claims in the order of judging, then the verdict in a line."""
    for claim in result.claims:
        for row in _rows(claim):
            console.print(row)
    console.print(verdict(result, provider))


def _rows(claim: Claim) -> Iterator[Table]:
    """Each line on its own, so that in a pipe none is filled up with blanks."""
    mark, style = _MARKS[claim.verdict]
    name = claim.name.value
    for line in _details(claim).split(allow_blank=True):
        row = Table.grid(padding=(0, 1))
        row.add_column(no_wrap=True)
        row.add_column(no_wrap=True)
        row.add_column(overflow="fold")
        row.add_row(Text(mark, style), Text(name.ljust(_WIDTH), style), line)
        yield row
        mark, name = " ", ""


def verdict(result: AttestationResult, provider: str | None) -> Text:
    """One line: affirmed or rejected, whom, and on which root it rests."""
    who = " ".join(part for part in (provider, result.origin) if part) or "recorded evidence"
    who = printable(who)
    simulated = " SIMULATED: rests on a root that is not Intel's." if result.simulated else ""
    if result.affirmed:
        return Text(f"affirmed: {who}, TCB {result.tcb_status}.{simulated}", "bold green")
    names = ", ".join(claim.name.value for claim in result.failed_claims) or "incomplete"
    return Text(f"rejected: {who} ({names}).{simulated}", "bold red")


def _details(claim: Claim) -> Text:
    if claim.verdict is ClaimVerdict.FAILED:
        text = Text(printable(claim.reason or "failed"))
        if claim.expected is not None:
            text.append(printable(f"\nexpected {claim.expected}"), "dim")
        if claim.actual is not None:
            text.append(printable(f"\ngot      {claim.actual}"), "dim")
        return text
    shown = " · ".join(part for part in (claim.actual, claim.reason) if part)
    return Text(printable(shown), "dim" if claim.verdict is not ClaimVerdict.PASSED else "")
