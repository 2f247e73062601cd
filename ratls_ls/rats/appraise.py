"""The verifier: evidence, collateral, policy and channel in; attestation result out.

Invariant: fail closed. A claim that was not judged has not passed, and every claim about the TD is
taken from the one quote whose signature verified.

The steps, in this order, are those of `ClaimName`:

1.  tls             TLS 1.3, chain and host name verified (facts of the handshake, given in)
2.  quote-format    a TDX quote v4 or v5 of exact length, certified by a PCK chain
3.  quote-signature verified by dcap_qvl under a trusted DCAP root
4.  collateral      in date, signed by Intel's TCB signer, not rolled back
5.  td-attributes   debug off, SEPT_VE_DISABLE on, no unknown bit
6.  tcb-status      merged status and the QE's own are allowed; grace period; Revoked never
7.  freshness       report data carries this connection's nonce
8.  channel-binding report data carries this session's exporter, else the event log this certificate
9.  event-log       digests recomputed, replayed to the quote's registers
10. measurements    every pin of the policy
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from . import collateral as collaterals
from . import event_log as event_logs
from .binding import Binding, LiveBinding, OfflineBinding
from .collateral import Collateral
from .errors import CollateralError, EvidenceError
from .event_log import EventLog
from .evidence import Evidence
from .policy import AppraisalPolicy, Pin, Register, TcbStatus
from .quote import (
    INTEL_ROOT,
    TrustAnchor,
    VerificationFailure,
    VerifiedQuote,
    collateral_key,
    verify,
)
from .result import (
    AttestationResult,
    ChannelBindingType,
    Claim,
    ClaimName,
    ClaimVerdict,
)

NONCE_BYTES = 32
EXPORTER_BYTES = 32
REPORT_DATA_BYTES = 64

# Intel TDX module 1.5 ABI, section "TD_ATTRIBUTES".
DEBUG = 1 << 0
SEPT_VE_DISABLE = 1 << 28
_SHOWN_ATTRIBUTES = {27: "LASS", 30: "PKS", 31: "KL", 62: "TPA", 63: "PERFMON"}
_ALLOWED_ATTRIBUTES = SEPT_VE_DISABLE | sum(1 << bit for bit in _SHOWN_ATTRIBUTES)

# dstack 0.5.1 and later: mr_config_id = 01 ‖ compose hash ‖ zeros.
_CONFIG_ID_COMPOSE = b"\x01"
_HASH_BYTES = 32

# What a user can do about each status; meaning after Intel's "Get TDX TCB Info" v4.
_REMEDIES = {
    TcbStatus.SW_HARDENING_NEEDED: "the platform is patched, its software must mitigate the rest",
    TcbStatus.CONFIGURATION_NEEDED: "the operator must change the platform's configuration",
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: (
        "the operator must change the configuration, and software must mitigate the rest"
    ),
    TcbStatus.OUT_OF_DATE: "the operator must update the platform's firmware",
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED: (
        "the operator must update firmware and change the configuration"
    ),
    TcbStatus.TD_RELAUNCH_ADVISED: "the operator must relaunch the TD on the updated platform",
    TcbStatus.REVOKED: "Intel revoked this platform; no policy can allow it",
}


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
    state = _Appraisal(policy, binding, now)
    state.judge(_tls(binding))  # 1
    given = evidence if isinstance(evidence, Evidence) else None
    fmspc = _quote_format(state, evidence)  # 2
    if given is not None and fmspc is not None and collateral is not None:
        state.judge(_collateral(collateral, now, minimum_tcb_evaluation))  # 4
        _quote_signature(state, given, collateral, anchors)  # 3
    if (quote := state.quote) is not None:
        state.judge(_td_attributes(quote))  # 5
        state.judge(_tcb_status(quote, policy, now))  # 6
        state.judge(_freshness(quote, binding))  # 7
        _event_log(state, quote, given.event_log if given is not None else None)  # 9
        state.judge(_channel_binding(state, quote))  # 8
        state.judge(_measurements(state))  # 10
    return state.result(given, collateral, fmspc)


@dataclass(slots=True)
class _Appraisal:
    """What is known so far. `quote` is set only once its signature verified, `log` only once it
    replayed to that quote."""

    policy: AppraisalPolicy
    binding: Binding
    now: int
    claims: dict[ClaimName, Claim] = field(default_factory=dict)
    quote: VerifiedQuote | None = None
    log: EventLog | None = None
    channel_binding: ChannelBindingType | None = None

    def judge(self, claim: Claim) -> None:
        self.claims[claim.name] = claim

    @property
    def measurements(self) -> dict[str, str]:
        """The verified registers and hashes, in hex."""
        if self.quote is None:
            return {}
        found = {"mrtd": self.quote.mrtd, "mrseam": self.quote.mrseam}
        found |= {f"rtmr{index}": value for index, value in enumerate(self.quote.rtmrs)}
        if (compose := self.compose_hash) is not None:
            found[Register.COMPOSE_HASH] = compose
        if self.log is not None:
            if (image := self.log.boot_value("os-image-hash")) is not None:
                found[Register.OS_IMAGE_HASH] = image
            if (app := self.log.boot_value("app-id")) is not None:
                found["appId"] = app
        return {str(name): value.hex() for name, value in found.items()}

    @property
    def compose_hash(self) -> bytes | None:
        """From the signed mr_config_id or from the verified log, which agree if both have it."""
        signed = _config_id_compose(self.quote) if self.quote is not None else None
        if signed is not None or self.log is None:
            return signed
        return self.log.boot_value("compose-hash")

    def result(
        self, evidence: Evidence | None, collateral: Collateral | None, fmspc: str | None
    ) -> AttestationResult:
        quote = self.quote
        try:
            ends = collaterals.expires_at(collateral) if collateral is not None else None
        except CollateralError:
            ends = None
        return AttestationResult(
            claims=tuple(self.claims.get(name, _not_reached(name)) for name in ClaimName),
            origin=self.binding.origin if isinstance(self.binding, LiveBinding) else None,
            appraised_at=self.now,
            simulated=quote is not None and quote.simulated,
            offline=isinstance(self.binding, OfflineBinding),
            tcb_status=_worse(quote) if quote is not None else None,
            advisory_ids=quote.advisory_ids if quote is not None else (),
            channel_binding=self.channel_binding,
            measurements=self.measurements,
            collateral_expires_at=ends,
            tcb_evaluation_data_number=quote.tcb_evaluation_data_number if quote else None,
            fmspc=fmspc,
            evidence_sha256=_digest(evidence) if evidence is not None else None,
        )


# 1. tls


def _tls(binding: Binding) -> Claim:
    name = ClaimName.TLS
    if isinstance(binding, OfflineBinding):
        return _not_required(name, "recorded evidence has no channel")
    if binding.tls_version != "TLSv1.3":
        return _failed(name, "TLS 1.3 is required", "TLSv1.3", binding.tls_version)
    host = urlsplit(binding.origin).hostname
    if binding.verified_host is None or binding.verified_host != host:
        return _failed(
            name,
            "the certificate was not verified for this host",
            host,
            binding.verified_host or "no verified name",
        )
    return _passed(name, actual=f"TLSv1.3, certificate for {host}")


# 2. quote-format


def _quote_format(state: _Appraisal, evidence: Evidence | EvidenceError) -> str | None:
    """Judges; gives the FMSPC if the format holds."""
    error: EvidenceError
    if isinstance(evidence, Evidence):
        try:
            key = collateral_key(evidence.quote)
        except EvidenceError as caught:
            error = caught
        else:
            state.judge(_passed(ClaimName.QUOTE_FORMAT))
            return key.fmspc
    else:
        error = evidence
    state.judge(_failed(error.claim, error.reason, error.expected, error.actual))
    return None


# 3. quote-signature


def _quote_signature(
    state: _Appraisal, evidence: Evidence, collateral: Collateral, anchors: Sequence[TrustAnchor]
) -> None:
    outcome = verify(evidence.quote, collateral, state.now, anchors)
    if isinstance(outcome, VerificationFailure):
        # What this project found out about the collateral itself says more than the library does.
        known = state.claims.get(outcome.claim)
        if known is None or known.verdict is ClaimVerdict.PASSED:
            state.judge(_failed(outcome.claim, outcome.reason))
        return
    state.quote = outcome
    root = "a root that is not Intel's (simulated)" if outcome.simulated else "Intel's root"
    state.judge(_passed(ClaimName.QUOTE_SIGNATURE, actual=f"verified under {root}"))


# 4. collateral


def _collateral(collateral: Collateral, now: int, minimum: int) -> Claim:
    name = ClaimName.COLLATERAL
    try:
        window = collaterals.validity(collateral)
        evaluation = collaterals.evaluation_number(collateral)
        signer = collaterals.wrong_signer(collateral)
    except CollateralError as error:
        return _failed(name, f"{error}; try another pccs_url")
    if signer is not None:
        return _failed(
            name, "someone else signed it; try another pccs_url", collaterals.TCB_SIGNER, signer
        )
    if now < window.starts:
        return _failed(
            name, f"the {window.last_to_start} is from the future: is this machine's clock right?"
        )
    if now >= window.ends:
        return _failed(
            name,
            f"the {window.first_to_end} expired: try another pccs_url, and check this "
            "machine's clock",
        )
    if evaluation < minimum:
        return _failed(
            name,
            "an older assessment by Intel than one seen before: a roll-back; try another pccs_url",
            f"tcbEvaluationDataNumber at least {minimum}",
            str(evaluation),
            policy_key="pccs_url",
        )
    return _passed(name, actual=f"tcbEvaluationDataNumber {evaluation}")


# 5. td-attributes


def _td_attributes(quote: VerifiedQuote) -> Claim:
    name, bits = ClaimName.TD_ATTRIBUTES, quote.td_attributes
    shown = f"{bits:#018x}"
    if bits & DEBUG:
        return _failed(name, "debug mode: the host can read the TD's memory", "debug off", shown)
    if not bits & SEPT_VE_DISABLE:
        return _failed(
            name, "SEPT_VE_DISABLE is off, so the host can inject faults", "bit 28 set", shown
        )
    if unknown := bits & ~_ALLOWED_ATTRIBUTES:
        return _failed(name, f"unknown attribute bits {unknown:#x}", f"{SEPT_VE_DISABLE:#x}", shown)
    extra = [word for bit, word in _SHOWN_ATTRIBUTES.items() if bits & 1 << bit]
    return _passed(name, actual=" ".join([shown, *extra]))


# 6. tcb-status


def _tcb_status(quote: VerifiedQuote, policy: AppraisalPolicy, now: int) -> Claim:
    name = ClaimName.TCB_STATUS
    allowed = policy.allowed_tcb_status - {TcbStatus.REVOKED}
    wanted = ", ".join(status for status in TcbStatus if status in allowed) or "nothing"
    advisories = f" ({', '.join(quote.advisory_ids)})" if quote.advisory_ids else ""
    for status, what, date in (
        (quote.tcb_status, "platform", quote.tcb_date),
        (quote.qe_status, "quoting enclave", quote.qe_tcb_date),
    ):
        if status not in allowed:
            remedy = _REMEDIES.get(status, "the policy allows no status at all")
            return _failed(
                name,
                f"the {what} is {status}{advisories}: {remedy}",
                wanted,
                status.value,
                policy_key="allowed_tdx_status",
            )
        outdated = status in (TcbStatus.OUT_OF_DATE, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED)
        if outdated and policy.grace_period is not None and now > date + policy.grace_period:
            return _failed(
                name,
                f"the {what} is {status}{advisories} for longer than the grace period; "
                "the operator must update the platform's firmware",
                f"at most {policy.grace_period} s",
                f"{now - date} s",
                policy_key="grace_period",
            )
    flags = f" ({', '.join(quote.platform_flags)})" if quote.platform_flags else ""
    return _passed(name, expected=wanted, actual=f"{_worse(quote)}{advisories}{flags}")


def _worse(quote: VerifiedQuote) -> str:
    """The QE's own status where the merged one hides it."""
    if quote.tcb_status is TcbStatus.UP_TO_DATE:
        return quote.qe_status.value
    return quote.tcb_status.value


# 7. freshness


def _freshness(quote: VerifiedQuote, binding: Binding) -> Claim:
    name = ClaimName.FRESHNESS
    if isinstance(binding, OfflineBinding):
        if binding.report_data is None:
            return _not_required(name, "no report data was given to compare with")
        if _same(quote.report_data, binding.report_data):
            return _passed(name)
        return _failed(name, "the quote carries other report data")
    if _binds_session(quote, binding) or _same(quote.report_data, _nonce_text(binding)):
        return _passed(name)
    return _failed(
        name,
        "the quote was not made for this connection's nonce: a replayed or relayed quote. Do not "
        "use this server over this network",
    )


def _binds_session(quote: VerifiedQuote, binding: LiveBinding) -> bool:
    """report_data = SHA-512(nonce ‖ exporter): made for this nonce on this TLS session."""
    if len(binding.nonce) != NONCE_BYTES or len(binding.exporter) != EXPORTER_BYTES:
        return False
    expected = hashlib.sha512(binding.nonce + binding.exporter).digest()
    return _same(quote.report_data, expected)


def _nonce_text(binding: LiveBinding) -> bytes:
    """report_data of the first generation of servers: the nonce as 64 ASCII hex digits."""
    return binding.nonce.hex().encode("ascii")


def _same(given: bytes, expected: bytes) -> bool:
    return len(expected) == REPORT_DATA_BYTES and hmac.compare_digest(given, expected)


# 8. channel-binding


def _channel_binding(state: _Appraisal, quote: VerifiedQuote) -> Claim:
    name, binding = ClaimName.CHANNEL_BINDING, state.binding
    if isinstance(binding, OfflineBinding):
        return _not_required(name, "recorded evidence has no channel")
    if _binds_session(quote, binding):
        state.channel_binding = ChannelBindingType.TLS_EXPORTER
        return _passed(name, actual=ChannelBindingType.TLS_EXPORTER.value)
    if not _same(quote.report_data, _nonce_text(binding)):
        return _failed(name, "the quote is not bound to this TLS session")
    if state.policy.require_session_binding:
        return _failed(
            name,
            "the server binds its certificate only, and attestation.requireSessionBinding is on",
            ChannelBindingType.TLS_EXPORTER.value,
            ChannelBindingType.CERTIFICATE_LOG.value,
        )
    if state.log is None:
        return _failed(
            name,
            "the quote is not bound to this TLS session and no sound event log names the "
            "certificate; ask the operator to update the server",
        )
    announced = state.log.certificate_sha256
    if announced is None:
        return _failed(name, "the event log names no TLS certificate")
    if not hmac.compare_digest(announced, binding.leaf_certificate_sha256):
        return _failed(
            name,
            "this TLS certificate is not the one that the TD announced; if it was just renewed, "
            "try again",
            announced.hex(),
            binding.leaf_certificate_sha256.hex(),
        )
    state.channel_binding = ChannelBindingType.CERTIFICATE_LOG
    return _passed(name, actual=ChannelBindingType.CERTIFICATE_LOG.value)


# 9. event-log


def _event_log(state: _Appraisal, quote: VerifiedQuote, text: str | None) -> None:
    name = ClaimName.EVENT_LOG
    if text is None:
        state.judge(_absent_event_log(state, quote))
        return
    try:
        log = event_logs.parse(text)
    except EvidenceError as error:
        state.judge(_failed(name, error.reason, error.expected, error.actual))
        return
    for index, (replayed, signed) in enumerate(zip(log.rtmrs, quote.rtmrs, strict=True)):
        if not hmac.compare_digest(replayed, signed):
            state.judge(
                _failed(
                    name,
                    f"the event log does not replay to RTMR{index} of the quote: it was edited "
                    "or belongs to another boot",
                    signed.hex(),
                    replayed.hex(),
                )
            )
            return
    signed_hash, told_hash = _config_id_compose(quote), log.boot_value("compose-hash")
    if signed_hash is not None and told_hash is not None and signed_hash != told_hash:
        state.judge(
            _failed(
                name,
                "the compose hash in the event log is not the one that the quote signs",
                signed_hash.hex(),
                told_hash.hex(),
            )
        )
        return
    state.log = log
    state.judge(_passed(name, actual=f"{len(log.events)} events"))


def _absent_event_log(state: _Appraisal, quote: VerifiedQuote) -> Claim:
    name = ClaimName.EVENT_LOG
    pinned = {pin.register for pin in state.policy.pins}
    needs = Register.OS_IMAGE_HASH in pinned or (
        Register.COMPOSE_HASH in pinned and _config_id_compose(quote) is None
    )
    binding = state.binding
    if isinstance(binding, LiveBinding) and not _binds_session(quote, binding):
        return _failed(name, "the server sent no event log, which its channel binding needs")
    if needs:
        return _failed(name, "the server sent no event log, which a pin of the policy needs")
    return _not_required(name, "nothing in the policy needs it")


def _config_id_compose(quote: VerifiedQuote) -> bytes | None:
    """The compose hash that dstack puts into the signed mr_config_id; None where it did not."""
    marked = quote.mr_config_id[:1] == _CONFIG_ID_COMPOSE
    padded = not any(quote.mr_config_id[1 + _HASH_BYTES :])
    return quote.mr_config_id[1 : 1 + _HASH_BYTES] if marked and padded else None


# 10. measurements


def _measurements(state: _Appraisal) -> Claim:
    name, found = ClaimName.MEASUREMENTS, state.measurements
    if not state.policy.pins:
        return _passed(
            name,
            reason="no measurement pinned: any genuine TD with a valid certificate for this host "
            "passes",
        )
    for pin in state.policy.pins:
        if (claim := _pin(pin, found.get(pin.register))) is not None:
            return claim
    keys = ", ".join(pin.key for pin in state.policy.pins)
    return _passed(name, actual=f"{keys} as pinned")


def _pin(pin: Pin, actual: str | None) -> Claim | None:
    """The failed claim, if this pin does not hold."""
    name = ClaimName.MEASUREMENTS
    if len(pin.value) != pin.register.size:
        reason = f"{pin.key} has {len(pin.value)} bytes, {pin.register} has {pin.register.size}"
    elif actual is None:
        reason = f"{pin.key} is pinned, but no verified evidence holds {pin.register}"
    elif hmac.compare_digest(bytes.fromhex(actual), pin.value):
        return None
    else:
        reason = (
            f"{pin.register} is not the pinned one: the server runs other software or firmware. "
            f"Compare with what its operator publishes before you change {pin.key}"
        )
    return _failed(name, reason, pin.value.hex(), actual or "nothing", policy_key=pin.key)


# Claims


def _passed(
    name: ClaimName,
    *,
    expected: str | None = None,
    actual: str | None = None,
    reason: str | None = None,
) -> Claim:
    return Claim(name, ClaimVerdict.PASSED, expected, actual, reason)


def _failed(
    name: ClaimName,
    reason: str,
    expected: str | None = None,
    actual: str | None = None,
    *,
    policy_key: str | None = None,
) -> Claim:
    return Claim(name, ClaimVerdict.FAILED, expected, actual, reason, policy_key)


def _not_required(name: ClaimName, reason: str) -> Claim:
    return Claim(name, ClaimVerdict.NOT_REQUIRED, reason=reason)


def _not_reached(name: ClaimName) -> Claim:
    reason = "cannot be judged until the claims above hold"
    return Claim(name, ClaimVerdict.NOT_REACHED, reason=reason)


def _digest(evidence: Evidence) -> str:
    """SHA-256 over quote and log, for audits; never an identity, since bytes in a quote that no
    signature covers can differ."""
    log = (evidence.event_log or "").encode("utf-8", "surrogatepass")
    return hashlib.sha256(evidence.quote + b"\n" + log).hexdigest()
