"""An appraisal together with what it rests on, so that it can be judged again.

Invariant: what an attestation rests on never shows in its repr.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .appraise import appraise
from .binding import LiveBinding
from .collateral import Collateral
from .errors import EvidenceError
from .evidence import Evidence
from .policy import AppraisalPolicy
from .quote import TrustAnchor
from .result import AttestationResult


@dataclass(frozen=True, slots=True)
class Attestation:
    """One appraisal and what it rests on, so that it can be repeated under another policy."""

    result: AttestationResult
    evidence: Evidence | EvidenceError = field(repr=False)
    collateral: Collateral | None = field(repr=False)
    binding: LiveBinding
    connect_ms: float = 0.0
    attest_ms: float = 0.0

    def under(
        self, policy: AppraisalPolicy, *, now: int, anchors: Sequence[TrustAnchor]
    ) -> Attestation:
        """What the same evidence gives under another policy, with no network."""
        result = appraise(
            self.evidence,
            collateral=self.collateral,
            policy=policy,
            binding=self.binding,
            now=now,
            anchors=anchors,
            minimum_tcb_evaluation=self.result.minimum_tcb_evaluation,
        )
        return replace(self, result=result)
