"""Steps 1, 7 and 8: that evidence was made for this connection, and ends where it ends.

Invariant: all 64 bytes of report data are compared, in constant time; a nonce or an exporter value
of another length than its own binds nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from .binding import Binding, LiveBinding, OfflineBinding
from .claims import failed, not_required, passed
from .event_log import EventLog
from .policy import AppraisalPolicy
from .result import ChannelBindingType, Claim, ClaimName, ClaimVerdict

TLS_VERSION = "TLSv1.3"  # RFC 8446; RFC 9266, section 3 says why an exporter of 1.2 binds less
NONCE_BYTES = 32
EXPORTER_BYTES = 32  # RFC 9266, section 2


def tls(binding: Binding) -> Claim:
    """Step 1. What the handshake showed."""
    name = ClaimName.TLS
    if isinstance(binding, OfflineBinding):
        return not_required(name, "recorded evidence has no channel")
    if binding.tls_version != TLS_VERSION:
        return failed(
            name,
            "the server must speak TLS 1.3: older versions do not bind evidence to a connection",
            expected=TLS_VERSION,
            actual=binding.tls_version,
        )
    host = _host(binding.origin)
    if binding.verified_host is None or binding.verified_host != host:
        return failed(
            name,
            "the TLS certificate was not verified for this host; check base_url",
            expected=host or "a host",
            actual=binding.verified_host or "no verified name",
        )
    return passed(name, actual=f"{TLS_VERSION}, certificate for {host}")


def carried(report_data: bytes, binding: LiveBinding) -> ChannelBindingType | None:
    """How report data ties a quote to this connection; None: not at all.

    `tls-exporter`: SHA-512(nonce ‖ exporter), made for this nonce on this TLS session.
    `certificate-log`: the nonce as 64 ASCII hex digits, as the first generation of servers sends
    it; fresh only, until the event log names this session's certificate.
    """
    if len(binding.nonce) != NONCE_BYTES or len(binding.exporter) != EXPORTER_BYTES:
        return None
    session = hashlib.sha512(binding.nonce + binding.exporter).digest()
    if hmac.compare_digest(report_data, session):
        return ChannelBindingType.TLS_EXPORTER
    if hmac.compare_digest(report_data, binding.nonce.hex().encode("ascii")):
        return ChannelBindingType.CERTIFICATE_LOG
    return None


def freshness(report_data: bytes, binding: Binding) -> Claim:
    """Step 7. The quote was made for this connection's nonce."""
    name = ClaimName.FRESHNESS
    if isinstance(binding, LiveBinding):
        if carried(report_data, binding) is not None:
            return passed(name)
        return failed(
            name,
            "the quote was not made for this connection: it is replayed, or relayed from another "
            "one. Do not use this server over this network",
            expected="report data with this connection's nonce",
            actual="other report data",
        )
    if binding.report_data is None:
        return not_required(name, "no report data was given to compare with")
    if hmac.compare_digest(report_data, binding.report_data):
        return passed(name)
    return failed(
        name,
        "the quote carries other report data than the one given: it was made for another occasion",
        expected=binding.report_data.hex(),
        actual=report_data.hex(),
    )


def channel_binding(
    report_data: bytes, binding: Binding, policy: AppraisalPolicy, log: EventLog | None
) -> tuple[Claim, ChannelBindingType | None]:
    """Step 8. The quote belongs to the other end of this channel. `log`: replayed to the quote."""
    name = ClaimName.CHANNEL_BINDING
    if isinstance(binding, OfflineBinding):
        return not_required(name, "recorded evidence has no channel"), None
    way = carried(report_data, binding)
    if way is None:
        return failed(
            name,
            "the quote is not bound to this TLS session: someone may stand between this machine "
            "and the TD",
            expected="SHA-512(nonce ‖ exporter) of this session",
            actual="other report data",
        ), None
    if way is ChannelBindingType.TLS_EXPORTER:
        # A TD that quotes whatever it is asked to would bind itself to somebody else's session; the
        # certificate that it announced tells whose session this is.
        if log is None or not log.announces_certificate:
            return passed(name, actual=way.value), way
    elif policy.require_session_binding:
        return failed(
            name,
            "the server binds its certificate only, and attestation.requireSessionBinding is on; "
            "ask its operator to update it",
            expected=ChannelBindingType.TLS_EXPORTER.value,
            actual=way.value,
        ), None
    claim = _certificate(binding.leaf_certificate_sha256, log, way)
    return claim, way if claim.verdict is ClaimVerdict.PASSED else None


def _certificate(leaf_sha256: bytes, log: EventLog | None, way: ChannelBindingType) -> Claim:
    """The event log names the certificate of this very handshake, beside what else binds it."""
    name = ClaimName.CHANNEL_BINDING
    announced = log.certificate_sha256 if log is not None else None
    if announced is None:
        return failed(
            name,
            "the quote is not bound to this TLS session, and no sound event log names the "
            "certificate; ask the server's operator to update it",
            expected="event New TLS Certificate",
            actual="none",
        )
    if not hmac.compare_digest(announced, leaf_sha256):
        return failed(
            name,
            "this TLS certificate is not the one that the TD announced last; if it was just "
            "renewed, try again, else someone stands between this machine and the TD",
            expected=announced.hex(),
            actual=leaf_sha256.hex(),
        )
    return passed(name, actual=way.value)


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None
