"""Steps 9 and 10: what runs in the TD, by the event log and by the pins of the policy.

Invariant: a pin holds only against a value of full length that the verified quote signs, directly
or through an event log that replays to it.
"""

from __future__ import annotations

import hmac

from .binding import Binding, LiveBinding
from .channel import carried
from .claims import failed, not_required, passed
from .errors import EvidenceError
from .event_log import RUNTIME_IMR, EventLog, parse
from .policy import AppraisalPolicy, Pin, Register
from .quote import VerifiedQuote
from .result import ChannelBindingType, Claim, ClaimName

# dstack 0.5.1 and later: mr_config_id = 01 ‖ compose hash ‖ zeros.
_CONFIG_ID_COMPOSE = b"\x01"
_HASH_BYTES = 32
_EVENTS = {Register.COMPOSE_HASH: "compose-hash", Register.OS_IMAGE_HASH: "os-image-hash"}
NOT_PINNED = "no measurement pinned: any genuine TD with a valid certificate for this host passes"


def event_log(
    text: str | None, quote: VerifiedQuote, binding: Binding, policy: AppraisalPolicy
) -> tuple[Claim, EventLog | None]:
    """Step 9. The log, only if it is sound."""
    name = ClaimName.EVENT_LOG
    if text is None:
        return _absent(quote, binding, policy), None
    try:
        log = parse(text)
    except EvidenceError as error:
        return failed(name, error.reason, expected=error.expected, actual=error.actual), None
    for index, (replayed, signed) in enumerate(zip(log.rtmrs, quote.rtmrs, strict=True)):
        if not hmac.compare_digest(replayed, signed):
            return failed(
                name,
                f"the event log does not replay to RTMR{index} of the quote: it was edited, or it "
                "belongs to another boot. Do not use this server",
                expected=signed.hex(),
                actual=replayed.hex(),
            ), None
    signed_hash, told_hash = signed_compose_hash(quote), log.boot_value("compose-hash")
    if signed_hash is not None and told_hash is not None and signed_hash != told_hash:
        return failed(
            name,
            "the compose hash in the event log is not the one that the quote signs "
            "(mr_config_id). Do not use this server",
            expected=signed_hash.hex(),
            actual=told_hash.hex(),
        ), None
    return passed(name, actual=f"{len(log.events)} events"), log


def _absent(quote: VerifiedQuote, binding: Binding, policy: AppraisalPolicy) -> Claim:
    name = ClaimName.EVENT_LOG
    if isinstance(binding, LiveBinding):
        reason = None
        if carried(quote.report_data, binding) is ChannelBindingType.CERTIFICATE_LOG:
            reason = "without which nothing binds its certificate; ask its operator to update it"
        elif any(quote.rtmrs[RUNTIME_IMR]):
            # Who stands in the middle of a TD that quotes whatever it is asked to leaves it out.
            reason = (
                "and RTMR3 shows runtime events, which may announce another certificate; ask its "
                "operator to send the log"
            )
        if reason is not None:
            return failed(
                name,
                f"the server sent no event log, {reason}",
                expected="an event log",
                actual="none",
            )
    for pin in policy.pins:
        # mr_config_id is the host's word until the guest checks it, and older guests do not.
        if pin.register in _EVENTS:
            return failed(
                name,
                f"the server sent no event log, without which {pin.key} cannot be judged",
                expected="an event log",
                actual="none",
                policy_key=pin.key,
            )
    return not_required(name, "the server sent none, and nothing in the policy needs it")


def signed_compose_hash(quote: VerifiedQuote) -> bytes | None:
    """The compose hash that dstack puts into the signed mr_config_id; None where it did not."""
    if quote.mr_config_id[:1] != _CONFIG_ID_COMPOSE:
        return None
    return quote.mr_config_id[1 : 1 + _HASH_BYTES]


def measured(quote: VerifiedQuote, log: EventLog | None) -> dict[str, str]:
    """The registers and hashes of the TD in lower-case hex. `log`: replayed to the quote."""
    found = {
        Register.MRTD.value: quote.mrtd,
        **{f"rtmr{index}": value for index, value in enumerate(quote.rtmrs)},
        Register.MRSEAM.value: quote.mrseam,
        Register.COMPOSE_HASH.value: _told(log, "compose-hash") or signed_compose_hash(quote),
        Register.OS_IMAGE_HASH.value: _told(log, "os-image-hash"),
        "appId": _told(log, "app-id"),
    }
    return {name: value.hex() for name, value in found.items() if value is not None}


def measurements(quote: VerifiedQuote, log: EventLog | None, policy: AppraisalPolicy) -> Claim:
    """Step 10. Every pin of the policy."""
    name = ClaimName.MEASUREMENTS
    if not policy.pins:
        return passed(name, reason=NOT_PINNED)
    for pin in policy.pins:
        if (claim := _pin(pin, _value(pin.register, quote, log))) is not None:
            return claim
    return passed(name, actual=f"as pinned: {', '.join(pin.key for pin in policy.pins)}")


def _value(register: Register, quote: VerifiedQuote, log: EventLog | None) -> bytes | None:
    """What a pin of `register` is compared with; for hashes the event log's word alone."""
    if register in _EVENTS:
        return _told(log, _EVENTS[register])
    return bytes.fromhex(measured(quote, log)[register])


def _pin(pin: Pin, actual: bytes | None) -> Claim | None:
    """The failed claim, if `pin` does not hold."""
    if len(pin.value) != pin.register.size:
        reason = (
            f"{pin.key} can never match: the pin is {len(pin.value)} bytes, {pin.register} has "
            f"{pin.register.size}; pin the whole value"
        )
    elif actual is None:
        reason = f"{pin.key} is pinned, but no sound event log tells {pin.register}"
    elif hmac.compare_digest(actual, pin.value):
        return None
    else:
        reason = (
            f"not what {pin.key} pins: the server runs other software or firmware. Compare with "
            f"what its operator publishes before you change the pin"
        )
    return failed(
        ClaimName.MEASUREMENTS,
        reason,
        expected=pin.value.hex(),
        actual=actual.hex() if actual is not None else "nothing",
        policy_key=pin.key,
    )


def _told(log: EventLog | None, name: str) -> bytes | None:
    return log.boot_value(name) if log is not None else None
