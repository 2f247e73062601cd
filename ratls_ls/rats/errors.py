"""Why evidence or collateral could not be read. Each error names the claim that fails with it.

Invariant: nothing in `rats` raises anything else for any bytes it is given.
"""

from __future__ import annotations

from .result import ClaimName

_MOST_SHOWN = 60


def foreign(word: object) -> str:
    """Someone else's word as it may be shown: short, ASCII, without control characters."""
    return ascii(word).strip("'\"")[:_MOST_SHOWN]


class EvidenceError(ValueError):
    """The attester's evidence is malformed: the server erred.

    `claim` is the claim that fails with it; `expected` and `actual` are short and safe to show.
    """

    def __init__(
        self,
        claim: ClaimName,
        reason: str,
        *,
        expected: str | None = None,
        actual: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.claim = claim
        self.reason = reason
        self.expected = expected
        self.actual = actual

    def alone(self) -> EvidenceError:
        """The same without its traceback, which holds the connection and all that came on it."""
        return EvidenceError(self.claim, self.reason, expected=self.expected, actual=self.actual)


class CollateralError(ValueError):
    """The DCAP collateral is malformed: the PCCS erred."""
