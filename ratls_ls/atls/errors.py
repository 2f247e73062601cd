"""What goes wrong with an attested connection, typed by who erred.

Invariant: no message carries a prompt, an answer, a key, a nonce or an exporter value, nor any
control character that the other side sent.
"""

from __future__ import annotations

from enum import StrEnum

from ratls_ls.config.words import printable
from ratls_ls.rats.result import AttestationResult


class Step(StrEnum):
    """Where reaching a provider ended."""

    QUEUE = "queue"  # all connections are busy
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    QUOTE = "quote"
    PCCS = "pccs"
    REQUEST = "request"


class UnreachableError(Exception):
    """The network erred: `host` could not be reached, or not in time, at `step`.

    `cut`: the connection was refused or ended early, as while a server restarts.
    """

    def __init__(self, step: Step, host: str, message: str, *, cut: bool = False) -> None:
        super().__init__(printable(message))
        self.step = step
        self.host = host
        self.cut = cut


class DeadlineError(UnreachableError):
    """The caller's own time limit passed at `step`, before anything of the request was sent, or
    sent again."""


class WithdrawnError(UnreachableError):
    """What the caller asked for was no longer meant at `step`, before all of it was sent."""


class AttestationRejectedError(Exception):
    """The appraisal did not affirm the server; the socket is closed and nothing was sent."""

    def __init__(self, result: AttestationResult) -> None:
        super().__init__(summary(result))
        self.result = result


class BrokenResponseError(Exception):
    """The attested server's answer was cut, malformed or too large after `received` body bytes."""

    def __init__(self, message: str, received: int) -> None:
        super().__init__(printable(message))
        self.received = received


class RefusedRequestError(ValueError):
    """The caller erred: this request may not be sent. `where` names the parameter."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(printable(message))
        self.where = where


def summary(result: AttestationResult) -> str:
    """One line for a person: which claim failed and why, or what could not be judged."""
    failed = result.failed_claims
    simulated = " (SIMULATED)" if result.simulated else ""
    if not failed:
        return f"attestation rejected: not every claim could be judged{simulated}"
    # A failed signature explains whatever else could not hold; claims are in order of cause.
    first = failed[0]
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    reason = first.reason or first.comparison or "failed"
    return f"attestation rejected: {first.name.value}: {reason}{more}{simulated}"
