"""The TCB statuses that a policy allows; what each means and what mends it.

Invariant: every TcbStatus has a meaning. Source: Intel, "Provisioning Certification Service API"
v4, "Get TDX TCB Info", `tcbStatus`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ratls_ls.rats.policy import TcbStatus

from .span import Span
from .values import Array, Scalar, Value, strings


@dataclass(frozen=True, slots=True)
class StatusMeaning:
    """`weak`: what such a platform proves is doubtful; `out_of_date`: a `grace_period` counts."""

    meaning: str
    remedy: str
    weak: bool = False
    out_of_date: bool = False


class Allowed(NamedTuple):
    """One string in `allowed_tdx_status`. `position` counts all elements of the array."""

    position: int
    text: str
    span: Span
    status: TcbStatus | None


def allowed_in(array: Array | None) -> Iterator[Allowed]:
    """The strings of `allowed_tdx_status`, in order."""
    for index, item in enumerate(array.items if array is not None else ()):
        if isinstance(item, Scalar) and isinstance(item.value, str):
            yield Allowed(index, item.value, item.span, TcbStatus.parse(item.value))


def accepts_more_than_default(value: Value) -> bool:
    """Whether `value` of `allowed_tdx_status` lets more pass than leaving it out does."""
    allowed = {TcbStatus.parse(text) for text, _ in strings(value)}
    return not allowed <= {TcbStatus.UP_TO_DATE, None}


MEANINGS: dict[TcbStatus, StatusMeaning] = {
    TcbStatus.UP_TO_DATE: StatusMeaning(
        "The platform has all security fixes and its configuration needs no change.",
        "Nothing to do.",
    ),
    TcbStatus.SW_HARDENING_NEEDED: StatusMeaning(
        "The platform has all security fixes, but a known weakness must be mitigated by software"
        " in the TD.",
        "Ask the operator whether the workload has the mitigations of the advisories listed.",
    ),
    TcbStatus.CONFIGURATION_NEEDED: StatusMeaning(
        "The platform has all security fixes, but its configuration may leave a weakness open.",
        "The operator changes the platform's configuration (BIOS settings) as the advisories say.",
    ),
    TcbStatus.CONFIGURATION_AND_SW_HARDENING_NEEDED: StatusMeaning(
        "The platform has all security fixes, but both its configuration and software in the TD"
        " must mitigate known weaknesses.",
        "The operator changes the configuration and the workload carries the mitigations.",
    ),
    TcbStatus.OUT_OF_DATE: StatusMeaning(
        "The platform lacks security fixes: known weaknesses are open.",
        "The operator updates firmware and microcode, then re-registers the platform.",
        weak=True,
        out_of_date=True,
    ),
    TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED: StatusMeaning(
        "The platform lacks security fixes and its configuration may leave a weakness open.",
        "The operator updates firmware and microcode and changes the configuration.",
        weak=True,
        out_of_date=True,
    ),
    TcbStatus.TD_RELAUNCH_ADVISED: StatusMeaning(
        "The platform was updated while the TD was running; the TD still has what it was launched"
        " with.",
        "The operator restarts the TD.",
        weak=True,
    ),
    TcbStatus.REVOKED: StatusMeaning(
        "The platform's keys are revoked: nothing it says can be believed.",
        "None. Use another platform.",
        weak=True,
    ),
}
