"""One line over each attested provider: its status, and what can be done.

Invariant: a lens claims no more than the status that it is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.config.span import Span
from ratls_ls.status import ProviderStatus, State, StatusOf

from .pin import unpinned

_WORDS = {
    State.UNTRUSTED: "not attested: this workspace is not trusted",
    State.UNCHECKED: "not attested yet",
    State.CHECKING: "attesting …",
    State.UNREACHABLE: "unreachable",
}


class Action(Enum):
    """What a lens or an action runs, for one provider."""

    ATTEST = "attest now"
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class Lens:
    """`action` None: words alone."""

    span: Span
    title: str
    provider: str
    action: Action | None = None


def lenses(file: ConfigFile, status: StatusOf) -> list[Lens]:
    """All lenses of `file`."""
    return [lens for table in file.providers.values() for lens in _of(table, status)]


def _of(table: ProviderTable, status: StatusOf) -> Iterator[Lens]:
    if not table.attested:
        return
    known = status(table.provider) if table.provider is not None else None
    yield Lens(table.span, headline(table, known), table.id)
    if known is None or known.state in (State.UNTRUSTED, State.CHECKING):
        return
    yield Lens(table.span, Action.ATTEST.value, table.id, Action.ATTEST)
    result = known.result if known.state is State.AFFIRMED and not known.what_if else None
    if result is not None and any(unpinned(table, result)):
        yield Lens(table.span, Action.PIN.value, table.id, Action.PIN)


def headline(table: ProviderTable, status: ProviderStatus | None) -> str:
    """The status of a provider in a few words. `status` None: it is not attested
    for errors, its own or others that may concern it."""
    if not table.attested:
        return "not attested: use_ratls is not true"
    if status is None:
        return "✗ not attested: the config has errors"
    result = status.result
    if result is None or status.state in _WORDS:
        return _WORDS.get(status.state, status.state.value)
    stale = status.state is State.STALE
    if result.affirmed:
        verdict = f"{'last' if stale else '✓'} attested · {result.tcb_status}"
    else:
        failed = ", ".join(claim.name.value for claim in result.failed_claims)
        verdict = f"{'last' if stale else '✗'} rejected: {failed}"
    return " · ".join((verdict, *provenance(status)))


def provenance(status: ProviderStatus) -> Iterator[str]:
    """What must be known of a result wherever it is shown: what it rests on, from when it is."""
    if status.result is not None and status.result.simulated:
        yield "SIMULATED"
    if status.what_if:
        yield "as edited"
    if status.state is State.STALE:
        yield "stale"
    if status.checked_at is not None:
        yield status.when
