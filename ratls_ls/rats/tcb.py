"""Steps 5 and 6: how the TD was launched, and how good the platform under it is.

Invariant: an attribute or a status that is not known to be harmless is refused.
"""

from __future__ import annotations

from .claims import failed, passed
from .policy import AppraisalPolicy, TcbStatus
from .quote import PlatformTcb, TcbLevel, VerifiedQuote
from .result import Claim, ClaimName
from .statuses import MEANINGS, OUT_OF_DATE

# Intel TDX module 1.5 ABI, "TD_ATTRIBUTES".
DEBUG = 1 << 0
SEPT_VE_DISABLE = 1 << 28
SHOWN_ATTRIBUTES = {27: "LASS", 30: "PKS", 31: "KL", 62: "TPA", 63: "PERFMON"}
ALLOWED_ATTRIBUTES = SEPT_VE_DISABLE | sum(1 << bit for bit in SHOWN_ATTRIBUTES)

_OPERATOR = "ask the server's operator to"
_DAY = 24 * 3600


def td_attributes(quote: VerifiedQuote) -> Claim:
    """Step 5. Judged bit by bit: dcap_qvl lets some bits pass."""
    name, bits = ClaimName.TD_ATTRIBUTES, quote.td_attributes
    shown = f"{bits:#018x}"
    if bits & DEBUG:
        return failed(
            name,
            "the TD runs in debug mode, so its host can read its memory; no policy can allow that: "
            "do not use this server",
            expected="bit 0 (DEBUG) off",
            actual=shown,
        )
    if not bits & SEPT_VE_DISABLE:
        return failed(
            name,
            "SEPT_VE_DISABLE is off, so the host can inject faults into the TD; "
            f"{_OPERATOR} launch it with the bit set",
            expected="bit 28 (SEPT_VE_DISABLE) on",
            actual=shown,
        )
    if refused := [
        str(bit) for bit in range(bits.bit_length()) if bits & ~ALLOWED_ATTRIBUTES & 1 << bit
    ]:
        return failed(
            name,
            f"the TD has attributes that are not known to be harmless: bit {', '.join(refused)}; "
            f"{_OPERATOR} launch it without",
            expected=f"{SEPT_VE_DISABLE:#018x}",
            actual=shown,
        )
    if any(quote.service_td):
        return failed(
            name,
            "the TD is bound to a service TD (for migration), which nothing here attests; "
            f"{_OPERATOR} launch it without",
            expected="no service TD",
            actual=quote.service_td.hex(),
        )
    extra = [word for bit, word in SHOWN_ATTRIBUTES.items() if bits & 1 << bit]
    return passed(name, actual=" ".join([shown, *extra]))


def tcb_status(tcb: PlatformTcb, policy: AppraisalPolicy, now: int) -> Claim:
    """Step 6. The merged status, then those that merging hides, then the grace period."""
    allowed = policy.allowed_tcb_status - {TcbStatus.REVOKED}
    if TcbStatus.parse(tcb.status) not in allowed:
        return _status_failed("platform", tcb.status, tcb, policy)
    for level in tcb.levels[1:]:
        status = TcbStatus.parse(level.status)
        if status is not TcbStatus.UP_TO_DATE and status not in allowed:
            return _status_failed(level.part, level.status, tcb, policy)
    for level in tcb.levels:
        if (claim := _grace_period(level, tcb, policy, now)) is not None:
            return claim
    flags = f" ({', '.join(tcb.flags)})" if tcb.flags else ""
    return passed(
        ClaimName.TCB_STATUS,
        expected=_words(policy),
        actual=f"{shown_status(tcb)}{_advisories(tcb)}{flags}",
    )


def shown_status(tcb: PlatformTcb) -> str:
    """The merged status, or the one of a part that hides behind its UpToDate."""
    if TcbStatus.parse(tcb.status) is TcbStatus.UP_TO_DATE:
        for level in tcb.levels:
            if TcbStatus.parse(level.status) is not TcbStatus.UP_TO_DATE:
                return level.status
    return tcb.status


def _status_failed(part: str, status: str, tcb: PlatformTcb, policy: AppraisalPolicy) -> Claim:
    known = TcbStatus.parse(status)
    means = "a status that no policy can allow"
    if known is not None:
        means = f"{MEANINGS[known].meaning}; {MEANINGS[known].remedy}"
    return failed(
        ClaimName.TCB_STATUS,
        f"the {part} is {status}{_advisories(tcb)}: {means}",
        expected=_words(policy),
        actual=status,
        policy_key="allowed_tdx_status",
    )


def _grace_period(
    level: TcbLevel, tcb: PlatformTcb, policy: AppraisalPolicy, now: int
) -> Claim | None:
    """The failed claim, if `level` is out of date for longer than the policy bears."""
    grace, status = policy.grace_period, TcbStatus.parse(level.status)
    if grace is None or status not in OUT_OF_DATE:
        return None
    if now <= level.date + grace:
        return None
    return failed(
        ClaimName.TCB_STATUS,
        f"the {level.part} is {level.status}{_advisories(tcb)} for longer than the grace period: "
        f"{MEANINGS[status].meaning}; {MEANINGS[status].remedy}",
        expected=f"at most {grace // _DAY} days ({grace} s)",
        actual=f"{(now - level.date) // _DAY} days",
        policy_key="grace_period",
    )


def _words(policy: AppraisalPolicy) -> str:
    allowed = policy.allowed_tcb_status - {TcbStatus.REVOKED}
    return ", ".join(status for status in TcbStatus if status in allowed) or "nothing"


def _advisories(tcb: PlatformTcb) -> str:
    return f" ({', '.join(tcb.advisory_ids)})" if tcb.advisory_ids else ""
