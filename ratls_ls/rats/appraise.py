"""The verifier: evidence, collateral, policy and channel in; attestation result out.

Invariant: fail closed. A claim that was not judged has not passed.
"""

from __future__ import annotations

from collections.abc import Sequence

from .binding import Binding
from .collateral import Collateral
from .evidence import Evidence
from .policy import AppraisalPolicy
from .quote import INTEL_ROOT, TrustAnchor
from .result import AttestationResult


def appraise(
    evidence: Evidence,
    *,
    collateral: Collateral | None,
    policy: AppraisalPolicy,
    binding: Binding,
    now: int,
    anchors: Sequence[TrustAnchor] = (INTEL_ROOT,),
    minimum_tcb_evaluation: int = 0,
) -> AttestationResult:
    """Judge all ten claims. Never raises for any evidence or collateral.

    `collateral` None: what needs it is `not-reached`. `now`: Unix seconds.
    `minimum_tcb_evaluation`: highest tcbEvaluationDataNumber that served this FMSPC before.
    """
    raise NotImplementedError
