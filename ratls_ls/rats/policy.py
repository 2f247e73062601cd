"""The appraisal policy: what a relying party accepts.

Invariant: a policy value is always strict by default; nothing absent means "anything goes"
except pins, whose absence every result states.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class TcbStatus(StrEnum):
    """TCB status of a TDX platform (Intel, "Get TDX TCB Info" v4, `tcbStatus`)."""

    UP_TO_DATE = "UpToDate"
    SW_HARDENING_NEEDED = "SWHardeningNeeded"
    CONFIGURATION_NEEDED = "ConfigurationNeeded"
    CONFIGURATION_AND_SW_HARDENING_NEEDED = "ConfigurationAndSWHardeningNeeded"
    OUT_OF_DATE = "OutOfDate"
    OUT_OF_DATE_CONFIGURATION_NEEDED = "OutOfDateConfigurationNeeded"
    TD_RELAUNCH_ADVISED = "TDRelaunchAdvised"
    REVOKED = "Revoked"

    @classmethod
    def parse(cls, text: str) -> TcbStatus | None:
        """The status that `text` names, compared without case; None if there is none."""
        return _BY_LOWER_CASE.get(text.lower())


_BY_LOWER_CASE = {status.lower(): status for status in TcbStatus}


class Register(StrEnum):
    """What a pin compares: a key of `AttestationResult.measurements`."""

    MRTD = "mrtd"
    RTMR0 = "rtmr0"
    RTMR1 = "rtmr1"
    RTMR2 = "rtmr2"
    MRSEAM = "mrseam"
    COMPOSE_HASH = "composeHash"
    OS_IMAGE_HASH = "osImageHash"

    @property
    def size(self) -> int:
        """Length of a full value in bytes: SHA-384 for registers, SHA-256 for hashes."""
        return 32 if self in (Register.COMPOSE_HASH, Register.OS_IMAGE_HASH) else 48


class Pin(NamedTuple):
    """One reference value (RFC 9334): `register` must equal `value`, all of it.

    `key` is where it stands in the policy, e.g. "min_tdx_tcb.mrseam"; a shorter value than
    `register.size` therefore never matches.
    """

    key: str
    register: Register
    value: bytes


class AppraisalPolicy(NamedTuple):
    """What the evidence of one provider must satisfy. Hashable: part of a connection's identity.

    `grace_period`: seconds after a TCB level's `tcbDate` for which an allowed OutOfDate passes;
    None sets no limit. `require_session_binding` refuses `certificate-log`.
    """

    allowed_tcb_status: frozenset[TcbStatus] = frozenset({TcbStatus.UP_TO_DATE})
    grace_period: int | None = None
    pins: tuple[Pin, ...] = ()
    require_session_binding: bool = False
