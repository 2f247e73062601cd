"""What each TCB status means, and what mends it.

Invariant: every TcbStatus has a meaning. Source: Intel, "Provisioning Certification Service API"
v4, "Get TDX TCB Info", `tcbStatus`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .policy import TcbStatus

_ASK = "ask the server's operator to"


@dataclass(frozen=True, slots=True)
class StatusMeaning:
    """`meaning` and `remedy`: clauses, to be put into a sentence. `weak`: what such a platform
    proves is doubtful; `out_of_date`: a `grace_period` counts."""

    meaning: str
    remedy: str
    weak: bool = False
    out_of_date: bool = False


MEANINGS: dict[TcbStatus, StatusMeaning] = {
    TcbStatus.UP_TO_DATE: StatusMeaning(
        "the platform has all security fixes and its configuration needs no change",
        "nothing to do",
    ),
    TcbStatus.SW_HARDENING_NEEDED: StatusMeaning(
        "the platform has all security fixes, but software in the TD must mitigate a known"
        " weakness",
        f"{_ASK} confirm that the workload has the mitigations of the advisories listed",
    ),
    TcbStatus.CONFIGURATION_NEEDED: StatusMeaning(
        "the platform has all security fixes, but its configuration may leave a weakness open",
        f"{_ASK} change the platform's BIOS settings as the advisories say",
    ),
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: StatusMeaning(
        "the platform has all security fixes, but both its configuration and software in the TD"
        " must mitigate known weaknesses",
        f"{_ASK} change the platform's BIOS settings and confirm that the workload has the"
        " mitigations of the advisories listed",
    ),
    TcbStatus.OUT_OF_DATE: StatusMeaning(
        "the platform lacks security fixes: known weaknesses are open",
        f"{_ASK} update firmware and microcode, then re-register the platform",
        weak=True,
        out_of_date=True,
    ),
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED: StatusMeaning(
        "the platform lacks security fixes and its configuration may leave a weakness open",
        f"{_ASK} update firmware and microcode and change the platform's BIOS settings",
        weak=True,
        out_of_date=True,
    ),
    TcbStatus.TD_RELAUNCH_ADVISED: StatusMeaning(
        "the platform was updated while the TD was running; the TD still has what it was launched"
        " with",
        f"{_ASK} restart the TD",
        weak=True,
    ),
    TcbStatus.REVOKED: StatusMeaning(
        "the platform's keys are revoked: nothing it says can be believed, and no policy can allow"
        " it",
        "do not use this server",
        weak=True,
    ),
}

OUT_OF_DATE = frozenset(status for status, meaning in MEANINGS.items() if meaning.out_of_date)
"""The statuses that a `grace_period` limits."""
