"""`unanchored-pin`: a pin on what only something unpinned vouches for."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.measurements import REGISTERS
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.rats.policy import AppraisalPolicy, Register

from .rule import Rule

RULE = Rule(
    code="unanchored-pin",
    severity=Severity.INFORMATION,
    words="""
    Each part of a TD is measured by the one before it: the firmware (MRTD) measures hardware,
    kernel and command line (RTMR0 to RTMR2), and the system that booted tells the hashes of its
    image and its application in the event log. A pin counts only where what measures it is pinned
    too: any other firmware or system can tell the same. MRSEAM is Intel's module, the same on very
    many machines, and MRTD alone leaves open what boots.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy.compose_hash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    """,
)

_FIRMWARE = {Register.MRTD}
_SYSTEM = {Register.MRTD, Register.RTMR1, Register.RTMR2}
_ANCHORS = {
    **dict.fromkeys((Register.RTMR0, Register.RTMR1, Register.RTMR2), _FIRMWARE),
    **dict.fromkeys((Register.OS_IMAGE_HASH, Register.COMPOSE_HASH), _SYSTEM),
}
# A policy without one of these says nothing of what the TD boots.
_BOOTED = {Register.RTMR1, Register.RTMR2, Register.OS_IMAGE_HASH, Register.COMPOSE_HASH}
_KEYS = {register: key for key, register in REGISTERS.items() if key.startswith("expected")}


def check(provider: ProviderTable, policy: AppraisalPolicy) -> Iterator[Problem]:
    pinned = {pin.register for pin in policy.pins}
    unanchored = {
        register: missing
        for register in pinned
        if (missing := _ANCHORS.get(register, set()) - pinned)
    }
    for pin, span in provider.pins if unanchored else ():
        if pin.register in unanchored:
            missing = unanchored[pin.register]
            by = "firmware" if missing == _FIRMWARE else "system"
            message = f"Any other {by} can tell the same: pin {_named(missing)} too"
            yield RULE.problem(span, message, provider=provider.id)
    if pinned and not unanchored and not pinned & _BOOTED:
        message = f"This says nothing of what the TD boots: pin {_named(_SYSTEM - pinned)} too"
        yield RULE.problem(provider.pins[0][1], message, provider=provider.id)


def _named(registers: set[Register]) -> str:
    *first, last = [f"`{key}`" for register, key in _KEYS.items() if register in registers]
    return f"{', '.join(first)} and {last}" if first else last
