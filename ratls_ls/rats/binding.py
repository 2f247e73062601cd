"""What ties evidence to one live TLS session, as facts the caller observed itself.

Invariant: secrets of the channel (nonce, exporter value) never appear in a repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LiveBinding:
    """Facts of the handshake and the request on this very socket.

    `tls_version` as OpenSSL names it ("TLSv1.3"); `verified_host` is the name for which chain
    and host name were verified, None if they were not; `exporter` is the 32-byte value for
    "EXPORTER-Channel-Binding" (RFC 9266); `nonce` the 32 fresh random bytes sent on this socket.
    """

    origin: str
    tls_version: str
    verified_host: str | None
    leaf_certificate_sha256: bytes
    nonce: bytes = field(repr=False)
    exporter: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OfflineBinding:
    """Recorded evidence without a channel: `tls` and `channel-binding` are not required, and
    `freshness` only where the auditor knows the 64-byte report data."""

    report_data: bytes | None = None


Binding = LiveBinding | OfflineBinding
