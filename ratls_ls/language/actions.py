"""What can be done about what stands in a range.

Invariant: a fix that weakens a policy is never preferred and never among "fix all".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ratls_ls.config.check import Context, fix_all
from ratls_ls.config.edits import weakening
from ratls_ls.config.problem import Edit, Problem
from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.config.span import Span
from ratls_ls.rats.policy import TcbStatus
from ratls_ls.rats.result import ClaimName
from ratls_ls.status import ProviderStatus, State, StatusOf

from .allow import allow
from .lenses import Action
from .pin import pin

FIX_EVERYTHING = "Fix all that is safe to fix"


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
        if _touch(problem.span, span):
            for fix in problem.fixes:
                yield CodeAction(fix.title, fix.edits, problem, fix.preferred)


def can_fix_everything(
    file: ConfigFile, problems: Iterable[Problem], span: Span | None = None
) -> bool:
    """Whether there is a safe fix, without looking for what all of them leave. `span`: whether one
    of several touches it."""
    safe = [problem for problem in problems if any(fix.safe for fix in problem.fixes)]
    if file.document.issues or span is None:
        return bool(safe) and not file.document.issues
    return len(safe) > 1 and any(_touch(problem.span, span) for problem in safe)


def fix_everything(file: ConfigFile, context: Context) -> list[Edit]:
    """All safe fixes at once, as one edit; none if there are none."""
    fixed = fix_all(file.text, context)
    return [_difference(file.text, fixed)] if fixed != file.text else []


def provider_actions(file: ConfigFile, span: Span, status: StatusOf) -> Iterator[CodeAction]:
    """What can be done with a provider whose name, header or list of statuses `span` touches."""
    for table in file.providers.values():
        if table.provider is None:
            continue
        known = status(table.provider)
        if known.state is State.UNTRUSTED:
            continue
        on_name = any(_touch(found, span) for found in (table.span, *table.id_spans))
        if on_name:
            yield CodeAction(f"Attest {table.id} now", action=Action.ATTEST, provider=table.id)
            yield from _pin(file, table, known)
        allowed = table.policy_spans.get("allowed_tdx_status")
        if on_name or (allowed is not None and _touch(allowed, span)):
            yield from _allow(file, table, known)


def _pin(file: ConfigFile, table: ProviderTable, known: ProviderStatus) -> Iterator[CodeAction]:
    if known.state is State.AFFIRMED and not known.what_if and known.result is not None:
        edits = pin(file, table, known.result)
        if edits:
            simulated = " (SIMULATED)" if known.result.simulated else ""
            yield CodeAction(f"Pin what was verified of {table.id}{simulated}", tuple(edits))


def _allow(file: ConfigFile, table: ProviderTable, known: ProviderStatus) -> Iterator[CodeAction]:
    """For a server that was refused for its TCB status."""
    result = known.result
    if known.state is not State.REJECTED or result is None or result.tcb_status is None:
        return
    status = TcbStatus.parse(result.tcb_status)
    refused = any(claim.name is ClaimName.TCB_STATUS for claim in result.failed_claims)
    edits = allow(file, table, status) if refused and status is not None else []
    if edits:
        yield CodeAction(weakening(f'Allow "{result.tcb_status}"'), tuple(edits))


def _touch(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end


def _difference(before: str, after: str) -> Edit:
    """The one edit, as small as one can be, that makes `after` of `before`."""
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    left = shorter - start
    tail = next((i for i in range(left) if before[-1 - i] != after[-1 - i]), left)
    return Edit(Span(start, len(before) - tail), after[start : len(after) - tail])
