"""What can be done about what stands in a range.

Invariant: a fix that weakens a policy is never preferred and never among "fix all".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ratls_ls.config.check import fix_all
from ratls_ls.config.problem import Edit, Problem
from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.config.span import Span
from ratls_ls.status import State

from .complete import StatusOf
from .lenses import Action
from .pin import pin


@dataclass(frozen=True, slots=True)
class CodeAction:
    """`problem`: what it mends. `action`: what it runs instead of `edits`, for `provider`."""

    title: str
    edits: tuple[Edit, ...] = ()
    problem: Problem | None = None
    preferred: bool = False
    action: Action | None = None
    provider: str | None = None


def quick_fixes(problems: Iterable[Problem], span: Span) -> Iterator[CodeAction]:
    """The fixes of all problems that touch `span`."""
    for problem in problems:
        if problem.span.start <= span.end and span.start <= problem.span.end:
            for fix in problem.fixes:
                yield CodeAction(fix.title, fix.edits, problem, fix.preferred)


def fix_everything(file: ConfigFile) -> CodeAction | None:
    """All safe fixes at once; None if there are none."""
    fixed = fix_all(file.text)
    if fixed == file.text:
        return None
    return CodeAction("Fix all that is safe to fix", (_difference(file.text, fixed),))


def provider_actions(file: ConfigFile, span: Span, status: StatusOf) -> Iterator[CodeAction]:
    """What can be done with a provider whose name or header `span` touches."""
    for table in file.providers.values():
        if table.provider is None or not _touches(table, span):
            continue
        known = status(table.provider)
        if known.state is State.UNTRUSTED:
            continue
        yield CodeAction(f"Attest {table.id} now", action=Action.ATTEST, provider=table.id)
        if known.state is State.AFFIRMED and not known.what_if and known.result is not None:
            edits = pin(file, table, known.result)
            if edits:
                yield CodeAction(f"Pin what was verified of {table.id}", tuple(edits))


def _touches(table: ProviderTable, span: Span) -> bool:
    return any(
        found.start <= span.end and span.start <= found.end
        for found in (table.span, *table.id_spans)
    )


def _difference(before: str, after: str) -> Edit:
    """The one edit, as small as one can be, that makes `after` of `before`."""
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    left = shorter - start
    tail = next((i for i in range(left) if before[-1 - i] != after[-1 - i]), left)
    return Edit(Span(start, len(before) - tail), after[start : len(after) - tail])
