"""The attestation result (RFC 9334): ten claims, always all of them, always in this order.

Invariant: a result is affirmed only if every claim passed or was not required.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

_CALENDAR = range(-62_135_596_800, 253_402_300_800)  # the years 1 to 9999


class ClaimName(StrEnum):
    """The ten claims, in the order in which they are judged and shown."""

    TLS = "tls"
    QUOTE_FORMAT = "quote-format"
    QUOTE_SIGNATURE = "quote-signature"
    COLLATERAL = "collateral"
    TD_ATTRIBUTES = "td-attributes"
    TCB_STATUS = "tcb-status"
    FRESHNESS = "freshness"
    CHANNEL_BINDING = "channel-binding"
    EVENT_LOG = "event-log"
    MEASUREMENTS = "measurements"


class ClaimVerdict(StrEnum):
    """`not-reached`: could not be judged because of another failure, and so does not pass."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not-reached"
    NOT_REQUIRED = "not-required"


class ChannelBindingType(StrEnum):
    TLS_EXPORTER = "tls-exporter"
    CERTIFICATE_LOG = "certificate-log"


@dataclass(frozen=True, slots=True)
class Claim:
    """One judged claim. `reason` is plain words with the remedy; `policy_key` is the key under
    `ratls_policy` that decided (e.g. "allowed_tdx_status"), for pointing an editor at it."""

    name: ClaimName
    verdict: ClaimVerdict
    expected: str | None = None
    actual: str | None = None
    reason: str | None = None
    policy_key: str | None = None

    @property
    def comparison(self) -> str | None:
        """What was expected and what came; None if neither can be told."""
        if self.expected is None and self.actual is None:
            return None
        return f"expected {self.expected or '?'}, got {self.actual or '?'}"

    @property
    def why(self) -> str:
        """All there is to say of one that failed."""
        compared = self.comparison
        return f"{self.reason or 'failed'}{f' ({compared})' if compared else ''}"

    def to_json(self) -> dict[str, str]:
        shape = {"name": self.name.value, "verdict": self.verdict.value}
        for key in ("expected", "actual", "reason"):
            if (value := getattr(self, key)) is not None:
                shape[key] = value
        return shape


@dataclass(frozen=True, slots=True)
class AttestationResult:
    """The outcome of one appraisal. Times are Unix seconds; measurements are lower-case hex.

    `minimum_tcb_evaluation` is what the collateral had to reach, for judging again.
    """

    claims: tuple[Claim, ...]
    origin: str | None
    appraised_at: int
    simulated: bool = False
    offline: bool = False
    tcb_status: str | None = None
    advisory_ids: tuple[str, ...] = ()
    channel_binding: ChannelBindingType | None = None
    measurements: Mapping[str, str] = field(default_factory=dict)
    collateral_expires_at: int | None = None
    tcb_evaluation_data_number: int | None = None
    fmspc: str | None = None
    minimum_tcb_evaluation: int = 0
    evidence_sha256: str | None = None

    @property
    def affirmed(self) -> bool:
        return tuple(claim.name for claim in self.claims) == tuple(ClaimName) and all(
            claim.verdict in (ClaimVerdict.PASSED, ClaimVerdict.NOT_REQUIRED)
            for claim in self.claims
        )

    @property
    def failed_claims(self) -> tuple[Claim, ...]:
        return tuple(claim for claim in self.claims if claim.verdict is ClaimVerdict.FAILED)

    def claim(self, name: ClaimName) -> Claim:
        return next(claim for claim in self.claims if claim.name is name)

    def to_json(self, provider: str | None = None) -> dict[str, Any]:
        """The wire shape `AttestationResult`; times as RFC 3339 in UTC."""
        shape: dict[str, Any] = {
            "verdict": "affirmed" if self.affirmed else "rejected",
            "provider": provider,
            "origin": self.origin,
            "tee": "tdx",
            "simulated": self.simulated,
            "tcbStatus": self.tcb_status,
            "advisoryIds": list(self.advisory_ids),
            "channelBinding": self.channel_binding.value if self.channel_binding else None,
            "measurements": dict(self.measurements),
            "claims": [claim.to_json() for claim in self.claims],
            "appraisedAt": _in_calendar(self.appraised_at),
            "collateralExpiresAt": _in_calendar(self.collateral_expires_at),
            "tcbEvaluationDataNumber": self.tcb_evaluation_data_number,
            "evidenceSha256": self.evidence_sha256,
        }
        if self.offline:
            shape["offline"] = True
        return shape


def rfc3339(seconds: int) -> str:
    """Unix seconds as RFC 3339 in UTC; the number itself for a time that no calendar has."""
    if seconds not in _CALENDAR:
        return str(seconds)
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat() + "Z"


def _in_calendar(seconds: int | None) -> str | None:
    return rfc3339(seconds) if seconds is not None and seconds in _CALENDAR else None
