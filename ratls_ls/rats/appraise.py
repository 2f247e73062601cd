"""The verifier: evidence, collateral, policy and channel in; attestation result out.

Invariant: fail closed. A claim that was not judged has not passed, and every claim about the TD is
taken from the one quote whose signature verified.

The steps, in this order, are those of `ClaimName`:

1.  tls             TLS 1.3, chain and host name verified (facts of the handshake, given in)
2.  quote-format    a TDX quote v4 or v5 of exact length, certified by a PCK chain
3.  quote-signature verified by dcap_qvl under a trusted DCAP root
4.  collateral      in date, signed by Intel's TCB signer, not rolled back
5.  td-attributes   debug off, SEPT_VE_DISABLE on, no unknown bit, no service TD
6.  tcb-status      merged status and the QE's own are allowed; grace period; Revoked never
7.  freshness       report data carries this connection's nonce
8.  channel-binding report data carries this session's exporter, else the event log this certificate
9.  event-log       digests recomputed, replayed to the quote's registers; needed on a channel
                    where RTMR3 shows that there are runtime events, since they may rule it out
10. measurements    every pin of the policy
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import channel, measurements, tcb
from . import collateral as collaterals
from .binding import Binding, LiveBinding, OfflineBinding
from .claims import failed, not_reached, passed
from .collateral import Collateral
from .errors import CollateralError, EvidenceError, foreign
from .event_log import EventLog
from .evidence import Evidence
from .policy import AppraisalPolicy
from .quote import (
    INTEL_ROOT,
    PlatformTcb,
    TrustAnchor,
    VerifiedQuote,
    collateral_key,
    verify,
)
from .refusal import Refusal
from .result import (
    AttestationResult,
    ChannelBindingType,
    Claim,
    ClaimName,
    ClaimVerdict,
    rfc3339,
)


def appraise(
    evidence: Evidence | EvidenceError,
    *,
    collateral: Collateral | None,
    policy: AppraisalPolicy,
    binding: Binding,
    now: int,
    anchors: Sequence[TrustAnchor] = (INTEL_ROOT,),
    minimum_tcb_evaluation: int = 0,
) -> AttestationResult:
    """Judge all ten claims. Never raises for any evidence or collateral.

    `evidence` may be the error that reading it gave; its claim then fails. `collateral` None:
    what needs it is `not-reached`. `now`: Unix seconds. `minimum_tcb_evaluation`: the highest
    tcbEvaluationDataNumber that served a live verification of this FMSPC before.
    """
    state = _Appraisal(policy, binding, now, minimum_tcb_evaluation)
    state.judge(channel.tls(binding))  # 1
    given = _quote_format(state, evidence)  # 2
    if given is not None and collateral is not None and _collateral(state, collateral):  # 4
        _quote_signature(state, given.quote, collateral, anchors)  # 3
        if state.quote is not None:
            _judge_quote(state, state.quote, given.event_log)  # 5 to 10
    return state.result(evidence, collateral)


@dataclass(slots=True)
class _Appraisal:
    """What is known so far. `quote` is set only once its signature verified, `log` only once it
    replayed to that quote."""

    policy: AppraisalPolicy
    binding: Binding
    now: int
    minimum_tcb_evaluation: int
    claims: dict[ClaimName, Claim] = field(default_factory=dict)
    fmspc: str | None = None
    quote: VerifiedQuote | None = None
    log: EventLog | None = None
    channel_binding: ChannelBindingType | None = None

    def judge(self, claim: Claim) -> None:
        self.claims[claim.name] = claim

    def has_failed(self, name: ClaimName) -> bool:
        return name in self.claims and self.claims[name].verdict is ClaimVerdict.FAILED

    @property
    def tcb_status(self) -> str | None:
        """In Intel's words, if it could be judged."""
        if self.quote is None or ClaimName.TCB_STATUS not in self.claims:
            return None
        word = self.quote.tcb
        return word.status if isinstance(word, Refusal) else tcb.shown_status(word)

    def result(
        self, evidence: Evidence | EvidenceError, collateral: Collateral | None
    ) -> AttestationResult:
        quote = self.quote
        word = quote.tcb if quote is not None else None
        platform = word if isinstance(word, PlatformTcb) else None
        return AttestationResult(
            claims=tuple(self.claims.get(name, _beyond(name)) for name in ClaimName),
            origin=self.binding.origin if isinstance(self.binding, LiveBinding) else None,
            appraised_at=self.now,
            simulated=quote is not None and quote.simulated,
            offline=isinstance(self.binding, OfflineBinding),
            tcb_status=self.tcb_status,
            advisory_ids=platform.advisory_ids if platform is not None else (),
            channel_binding=self.channel_binding,
            measurements=measurements.measured(quote, self.log) if quote is not None else {},
            collateral_expires_at=_expiry(collateral),
            tcb_evaluation_data_number=(
                platform.evaluation_data_number if platform is not None else None
            ),
            fmspc=self.fmspc,
            minimum_tcb_evaluation=self.minimum_tcb_evaluation,
            evidence_sha256=_digest(evidence) if isinstance(evidence, Evidence) else None,
        )


# 2. quote-format


def _quote_format(state: _Appraisal, evidence: Evidence | EvidenceError) -> Evidence | None:
    """The evidence, if its quote has a form that can be verified."""
    error: EvidenceError
    if isinstance(evidence, EvidenceError):
        error = evidence
    else:
        try:
            state.fmspc = collateral_key(evidence.quote).fmspc
        except EvidenceError as caught:
            error = caught
        else:
            state.judge(passed(ClaimName.QUOTE_FORMAT))
            return evidence
    state.judge(failed(error.claim, error.reason, expected=error.expected, actual=error.actual))
    return None


# 3. quote-signature


def _quote_signature(
    state: _Appraisal, quote: bytes, collateral: Collateral, anchors: Sequence[TrustAnchor]
) -> None:
    """Judges the signature, or the claim that it could not be reached for."""
    outcome = verify(quote, collateral, state.now, anchors)
    if isinstance(outcome, Refusal):
        state.judge(failed(outcome.claim, outcome.reason))
        return
    state.quote = outcome
    root = "a root that is not Intel's: simulated" if outcome.simulated else "Intel's root"
    state.judge(passed(ClaimName.QUOTE_SIGNATURE, actual=f"verified under {root}"))


# 4. collateral


def _collateral(state: _Appraisal, collateral: Collateral) -> bool:
    """Whether anything may be verified with it. What a roll-back hides is its TCB status only."""
    name, now = ClaimName.COLLATERAL, state.now
    try:
        window = collaterals.validity(collateral)
        evaluation = collaterals.evaluation_number(collateral)
        signer = collaterals.wrong_signer(collateral)
    except CollateralError as error:
        state.judge(failed(name, f"{error}; try another pccs_url", policy_key="pccs_url"))
        return False
    if signer is not None:
        state.judge(
            failed(
                name,
                "someone else than Intel's TCB signer signed it; try another pccs_url",
                expected=collaterals.TCB_SIGNER,
                actual=foreign(signer),
                policy_key="pccs_url",
            )
        )
        return False
    offline = isinstance(state.binding, OfflineBinding)
    if (claim := _out_of_date(window, now, offline=offline)) is not None:
        state.judge(claim)
        return False
    if evaluation < state.minimum_tcb_evaluation:
        state.judge(
            failed(
                name,
                "an older assessment by Intel than one seen before, so a roll-back; try another "
                "pccs_url",
                expected=f"tcbEvaluationDataNumber at least {state.minimum_tcb_evaluation}",
                actual=str(evaluation),
                policy_key="pccs_url",
            )
        )
    else:
        state.judge(passed(name, actual=f"tcbEvaluationDataNumber {evaluation}"))
    return True


def _out_of_date(window: collaterals.Validity, now: int, *, offline: bool) -> Claim | None:
    """The failed claim, if the collateral does not count at `now`."""
    first, last = window.first_to_end, window.last_to_start
    if now < window.starts:
        return failed(
            ClaimName.COLLATERAL,
            f"the {last} is from the future: is --at right?"
            if offline
            else f"the {last} is from the future: is this machine's clock right?",
            expected=f"a time from {rfc3339(window.starts)}",
            actual=rfc3339(now),
        )
    if now >= window.ends:
        return failed(
            ClaimName.COLLATERAL,
            f"the {first} expired; judge as of when it was recorded, with --at"
            if offline
            else f"the {first} expired; try another pccs_url, and check this machine's clock",
            expected=f"a time before {rfc3339(window.ends)}",
            actual=rfc3339(now),
            policy_key="pccs_url",
        )
    return None


# 5. td-attributes, 6. tcb-status, 7. freshness, 8. channel-binding, 9. event-log, 10. measurements


def _judge_quote(state: _Appraisal, quote: VerifiedQuote, event_log: str | None) -> None:
    policy, binding = state.policy, state.binding
    state.judge(tcb.td_attributes(quote))  # 5
    if isinstance(quote.tcb, PlatformTcb):
        if not state.has_failed(ClaimName.COLLATERAL):
            state.judge(tcb.tcb_status(quote.tcb, policy, state.now))  # 6
    elif not state.has_failed(quote.tcb.claim):
        # The TCB status itself, or what this project alone would have let pass.
        state.judge(failed(quote.tcb.claim, quote.tcb.reason))
    state.judge(channel.freshness(quote.report_data, binding))  # 7
    claim, state.log = measurements.event_log(event_log, quote, binding, policy)
    state.judge(claim)  # 9
    claim, state.channel_binding = channel.channel_binding(
        quote.report_data, binding, policy, state.log
    )
    state.judge(claim)  # 8
    state.judge(measurements.measurements(quote, state.log, policy))  # 10


def _beyond(name: ClaimName) -> Claim:
    return not_reached(name, "cannot be judged until what failed or is missing before it is right")


def _expiry(collateral: Collateral | None) -> int | None:
    try:
        return collaterals.expires_at(collateral) if collateral is not None else None
    except CollateralError:
        return None


def _digest(evidence: Evidence) -> str:
    """SHA-256 over quote and log, for audits; never an identity, since bytes in a quote that no
    signature covers can differ."""
    log = (evidence.event_log or "").encode("utf-8", "surrogatepass")
    return hashlib.sha256(evidence.quote + b"\n" + log).hexdigest()
