"""What one provider does, as data: an honest TEE server, unless something here is changed.

Invariant: a scenario is built afresh for each set of faults; a fault is a function that changes
one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from .collateral import TcbOptions
from .event_log import COMPOSE_HASH
from .http import Request, Response
from .listener import Accepted
from .pki import DcapPki, Identity, Pki
from .quote import QuoteOptions, TdReport
from .tls import TlsOptions

Generation = Literal["v1", "v0"]
Log = list[dict[str, Any]]
_T = TypeVar("_T")
Edits = list[Callable[[_T], _T]]


@dataclass(frozen=True, slots=True)
class Session:
    """What a quote is made for: the client's nonce, and this TLS session's exporter and leaf."""

    nonce: bytes = field(repr=False)
    exporter: bytes = field(repr=False)
    leaf: bytes


def session_bound(session: Session) -> bytes:
    """Report data of the second generation of servers."""
    return hashlib.sha512(session.nonce + session.exporter).digest()


def nonce_only(session: Session) -> bytes:
    """Report data of the first generation of servers."""
    return session.nonce.hex().encode("ascii")


def _report() -> TdReport:
    # As dstack 0.5.1 and later: the signed configuration names the compose hash.
    return TdReport(mr_config_id=(b"\x01" + COMPOSE_HASH).ljust(48, b"\0"))


@dataclass(slots=True)
class Scenario:
    """Lists of edits are applied in order, each to what the one before it gave.

    `accept`: instead of TLS. `log`: before it is measured into the registers; `told_log`: after.
    `answer` is the quote answer as a dictionary, `answer_body` as bytes; `quote`, `api` and `pccs`
    change whole responses. `relay`: quotes are fetched from a genuine server.
    """

    pki: Pki
    dcap: DcapPki  # signs the quotes
    tls: TlsOptions
    generation: Generation = "v1"
    log_version: int = 1
    empty_digests: bool = False
    relay: bool = False
    tcb: TcbOptions = field(default_factory=TcbOptions)
    tcb_dcap: DcapPki | None = None  # signs the collateral, if it is another one
    tcb_signer: Identity | None = None
    quote_options: QuoteOptions = field(default_factory=QuoteOptions)
    td_report: TdReport = field(default_factory=_report)
    report_data: Callable[[Session], bytes] | None = None
    accept: Callable[[Accepted], Awaitable[None]] | None = None
    session: Edits[Session] = field(default_factory=list)
    log: Edits[Log] = field(default_factory=list)
    report: Edits[TdReport] = field(default_factory=list)
    minted: Edits[bytes] = field(default_factory=list)
    told_log: Edits[Any] = field(default_factory=list)
    answer: Edits[dict[str, Any]] = field(default_factory=list)
    answer_body: Edits[bytes] = field(default_factory=list)
    quote: Edits[Response] = field(default_factory=list)
    api: Edits[Response] = field(default_factory=list)
    pccs: list[Callable[[Request, Response], Response]] = field(default_factory=list)
    pccs_up: bool = True


def edited(value: _T, edits: Edits[_T]) -> _T:
    """`value` after all edits."""
    for edit in edits:
        value = edit(value)
    return value
