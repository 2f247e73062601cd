"""How a claim is written down, so that every step writes it the same way.

Invariant: nothing is judged here; a verdict is that of who calls.
"""

from __future__ import annotations

from .result import Claim, ClaimName, ClaimVerdict


def passed(
    name: ClaimName,
    *,
    expected: str | None = None,
    actual: str | None = None,
    reason: str | None = None,
) -> Claim:
    return Claim(name, ClaimVerdict.PASSED, expected, actual, reason)


def failed(
    name: ClaimName,
    reason: str,
    *,
    expected: str | None = None,
    actual: str | None = None,
    policy_key: str | None = None,
) -> Claim:
    """`reason`: plain words and what to do. `policy_key`: the key under `ratls_policy` that
    decided."""
    return Claim(name, ClaimVerdict.FAILED, expected, actual, reason, policy_key)


def not_required(name: ClaimName, reason: str) -> Claim:
    return Claim(name, ClaimVerdict.NOT_REQUIRED, reason=reason)


def not_reached(name: ClaimName, reason: str) -> Claim:
    return Claim(name, ClaimVerdict.NOT_REACHED, reason=reason)
