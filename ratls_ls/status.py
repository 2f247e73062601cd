"""What is known of one provider's attestation at one moment. Pure.

Invariant: a status speaks of exactly the Peer it is kept for; an edited policy or host is another
one, so a status can never be shown for something it was not computed from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ratls_ls.atls.errors import UnreachableError
from ratls_ls.config.model import Provider
from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.result import AttestationResult, rfc3339


class State(StrEnum):
    """`stale`: affirmed or rejected once, but that is too long ago to rely on, or could not be
    renewed."""

    DISABLED = "disabled"
    INVALID = "invalid"
    UNTRUSTED = "untrusted"
    UNCHECKED = "unchecked"
    CHECKING = "checking"
    AFFIRMED = "affirmed"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class StatusError:
    code: str
    message: str

    @classmethod
    def unreachable(cls, error: UnreachableError) -> StatusError:
        return cls(f"unreachable-{error.step.value}", str(error))


@dataclass(frozen=True, slots=True)
class MeasurementChange:
    """An affirmed server measures otherwise than before. `registers`: (name, old, new), the values
    in hex; `seen`: when the old ones were affirmed last, `at`: when the new ones first (Unix
    seconds)."""

    registers: tuple[tuple[str, str, str], ...]
    seen: int
    at: int


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """`checked_at`: Unix seconds when the evidence came. `what_if`: the policy was edited since;
    the result is what that evidence gives under the policy as it stands now."""

    state: State
    attestation: Attestation | None = None
    error: StatusError | None = None
    checked_at: int | None = None
    what_if: bool = False
    change: MeasurementChange | None = None

    @property
    def result(self) -> AttestationResult | None:
        return self.attestation.result if self.attestation is not None else None

    @property
    def when(self) -> str:
        """When the evidence came, for people: the date too where that may not be today's."""
        if self.checked_at is None:
            return "at an unknown time"
        shown = minute(self.checked_at)
        return shown if self.what_if or self.state is State.STALE else shown.split(" ", 1)[1]

    def to_json(self, provider: str) -> dict[str, Any]:
        """The wire shape `ProviderStatus`, less `uri` and `range`."""
        shape: dict[str, Any] = {"provider": provider, "state": self.state.value}
        if self.result is not None:
            shape["result"] = self.result.to_json(provider)
        if self.error is not None:
            shape["error"] = {"code": self.error.code, "message": self.error.message}
        if self.checked_at is not None:
            shape["checkedAt"] = rfc3339(self.checked_at)
        return shape


def minute(seconds: int) -> str:
    """Unix seconds for people, such as `2027-01-15 08:00 UTC`."""
    return f"{rfc3339(seconds)[:16].replace('T', ' ')} UTC"


UNCHECKED = ProviderStatus(State.UNCHECKED)
StatusOf = Callable[[Provider], ProviderStatus]
"""The status that is kept for a provider as its text describes it."""


def judged(
    attestation: Attestation,
    checked_at: int,
    *,
    what_if: bool = False,
    change: MeasurementChange | None = None,
) -> ProviderStatus:
    """The status that an appraisal gives."""
    state = State.AFFIRMED if attestation.result.affirmed else State.REJECTED
    return ProviderStatus(state, attestation, None, checked_at, what_if, change)
