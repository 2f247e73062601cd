"""Static problems and live attestation status as one list of diagnostics.

Invariant: a live diagnostic says when its evidence came and speaks of the provider as it stands
in the text; nothing live is shown for a provider that the text does not validly describe.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.config.span import Span
from ratls_ls.rats.policy import TcbStatus
from ratls_ls.rats.result import AttestationResult, Claim
from ratls_ls.status import MeasurementChange, ProviderStatus, State, StatusOf, minute

RULES_URL = "https://github.com/ratls-ls/ratls-ls/blob/main/docs/rules.md"
"""The rule reference: each code is an anchor in it."""

AFFIRMED = "attestation-affirmed"
DEGRADED = "attestation-degraded"
REJECTED = "attestation-rejected"
UNREACHABLE = "attestation-unreachable"
STALE = "attestation-stale"
CHANGED = "measurement-changed"
LIVE_CODES = {
    AFFIRMED: (
        Severity.INFORMATION,
        "All ten claims held when it was last attested, at the time shown.",
    ),
    DEGRADED: (
        Severity.WARNING,
        "The policy lets the server pass, but its TCB status is not UpToDate or Intel lists"
        " advisories for it. Ask its operator to update; see what the status means in the hover.",
    ),
    REJECTED: (
        Severity.ERROR,
        "A claim failed: the message says which, what was expected, what came and what to do."
        " Nothing is sent to this server.",
    ),
    UNREACHABLE: (
        Severity.WARNING,
        "The host, or the PCCS, could not be reached: the message names it and the step. Nothing is"
        " sent.",
    ),
    STALE: (
        Severity.HINT,
        "The last attestation is too old to rely on or could not be renewed. Requests attest their"
        " own connection in any case.",
    ),
    CHANGED: (
        Severity.WARNING,
        "A register differs from the one of the last affirmed attestation of this provider. A new"
        " version of its software, or another machine; pin the measurements that you expect.",
    ),
}
"""The codes of live diagnostics: how severe, and what it means, for the rule reference."""


class Related(NamedTuple):
    """A further place that explains a diagnostic."""

    span: Span
    message: str


class Diagnostic(NamedTuple):
    span: Span
    severity: Severity
    code: str
    message: str
    provider: str | None = None
    related: tuple[Related, ...] = ()
    problem: Problem | None = None


def diagnose(
    file: ConfigFile,
    problems: Iterable[Problem],
    status: StatusOf,
) -> list[Diagnostic]:
    """All diagnostics of `file`, static ones first."""
    static = [as_diagnostic(problem) for problem in problems]
    return static + list(live(file, status))


def as_diagnostic(problem: Problem) -> Diagnostic:
    """A problem of the text as a diagnostic."""
    return Diagnostic(
        span=problem.span,
        severity=problem.severity,
        code=problem.code,
        message=problem.message,
        provider=problem.provider,
        problem=problem,
    )


def live(file: ConfigFile, status: StatusOf) -> Iterator[Diagnostic]:
    """The live diagnostics of `file`."""
    for base, table in file.tables.values():
        if table.provider is None:
            continue
        known = status(table.provider)
        if known.result is not None or known.error is not None:
            yield from _provider(table.at(base), known)


def _provider(table: ProviderTable, status: ProviderStatus) -> Iterator[Diagnostic]:
    result = status.result
    if status.state is State.UNREACHABLE and status.error is not None:
        message = f"Not attested: {status.error.message}"
        yield Diagnostic(table.span, Severity.WARNING, UNREACHABLE, message, table.id)
    if result is None:
        return
    when = _when(status)
    if status.state is State.STALE:
        yield Diagnostic(table.span, Severity.HINT, STALE, staleness(status), table.id)
    elif result.affirmed:
        severity, code = _grade(result)
        yield Diagnostic(table.span, severity, code, f"{affirmation(result)} · {when}", table.id)
    if result.affirmed and status.change is not None:
        yield Diagnostic(table.span, Severity.WARNING, CHANGED, change(status.change), table.id)
    if not result.affirmed:
        related = tuple(_deciding_lines(table, result.failed_claims))
        yield Diagnostic(
            table.span, Severity.ERROR, REJECTED, f"{rejection(result)} · {when}", table.id, related
        )


def _grade(result: AttestationResult) -> tuple[Severity, str]:
    if result.tcb_status != TcbStatus.UP_TO_DATE or result.advisory_ids:
        return Severity.WARNING, DEGRADED
    return Severity.INFORMATION, AFFIRMED


def affirmation(result: AttestationResult) -> str:
    """One line: what was verified, and what that leaves open."""
    parts = [f"Attested: {'SIMULATED' if result.simulated else 'genuine'} Intel TDX"]
    parts.append(f"TCB {result.tcb_status}")
    if result.advisory_ids:
        parts.append(", ".join(result.advisory_ids))
    if result.channel_binding is not None:
        parts.append(f"bound by {result.channel_binding}")
    measurements = result.claims[-1]
    if measurements.reason:
        parts.append(measurements.reason)
    return " · ".join(parts)


def change(found: MeasurementChange) -> str:
    """What measures otherwise than before, since when, and what to do."""
    lines = [f"{name} {_short(old)} → {_short(new)}" for name, old, new in found.registers]
    return (
        f"Measurements changed: {', '.join(lines)}. The old ones came last {minute(found.seen)}, "
        f"the new ones first {minute(found.at)}. If the operator announced an update, pin the new "
        "ones; else ask before you go on"
    )


def _short(value: str) -> str:
    return f"{value[:12]}…" if len(value) > 16 else value


def rejection(result: AttestationResult) -> str:
    """Every failed claim: what was expected, what came, what to do."""
    lines = [_claim(claim) for claim in result.failed_claims]
    simulated = " (SIMULATED)" if result.simulated else ""
    if not lines:
        return f"Rejected{simulated}: not every claim could be judged"
    return f"Rejected{simulated}: " + "\n".join(lines)


def _claim(claim: Claim) -> str:
    return f"{claim.name.value}: {claim.why}"


def _deciding_lines(table: ProviderTable, claims: Iterable[Claim]) -> Iterator[Related]:
    """Where the policy decided; what is not written there decided by its default."""
    spans: Mapping[str, Span] = table.policy_spans
    for claim in claims:
        key = claim.policy_key
        if key is not None and key in spans:
            yield Related(spans[key], f"decided {claim.name.value}")
        elif key is not None and not (table.under and key in table.under.policy_spans):
            policy = table.policy_entry
            place = policy.span if policy is not None else table.span
            yield Related(place, f"has no {key}, so its default decided {claim.name.value}")


def staleness(status: ProviderStatus) -> str:
    """What is left of a result that is stale, and why it is."""
    result = status.result
    verdict = "attested" if result is not None and result.affirmed else "rejected"
    simulated = " (SIMULATED)" if result is not None and result.simulated else ""
    last = f"Last {verdict}{simulated} {status.when}"
    if status.error is None:
        return f"{last}, which is too long ago to rely on; attest again"
    return f"{last}; that could not be renewed: {status.error.message}"


def _when(status: ProviderStatus) -> str:
    if status.what_if:
        return f"evidence of {status.when}, judged by the policy as edited"
    return status.when
