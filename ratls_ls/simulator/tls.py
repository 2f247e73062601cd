"""The server side of TLS, with the faults that a handshake can have.

Invariant: without a fault a session is TLS 1.3 with an exporter, as the protocol wants it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Literal

from OpenSSL import SSL

from ratls_ls.atls.tls import ALPN_HTTP11, TlsStream

from .listener import Accepted
from .pki import Identity

_CLOSE_NOTIFY_BYTES = 4096
_TOGETHER_BYTES = 64 * 1024


@dataclass(slots=True)
class TlsOptions:
    """`alpn`: what to choose if the client offers anything. `ask`: for a client certificate."""

    identity: Identity
    version: int = SSL.TLS1_3_VERSION
    alpn: bytes = ALPN_HTTP11
    ask: Literal["no", "optional", "required"] = "no"


class ServerStream(TlsStream):
    """A server's TLS session, which can end in every way that TLS has."""

    def __init__(self, channel: Accepted, connection: SSL.Connection) -> None:
        super().__init__(channel, connection)
        self._accepted = channel
        self._session = connection

    async def write_together(self, *records: bytes, held_back: int = 0) -> None:
        """Each of `records` as a TLS record of its own (so 16 KiB at most), all in one piece, but
        for so many bytes of the last, which never come."""
        for record in records:
            self._session.send(record)
        data = self._session.bio_read(_TOGETHER_BYTES)
        await self._accepted.send(data[: len(data) - held_back])

    async def finish(self) -> None:
        """close_notify, then the end of TCP, behind everything written."""
        with contextlib.suppress(SSL.Error, OSError):
            self._session.shutdown()
            await self._accepted.send(self._session.bio_read(_CLOSE_NOTIFY_BYTES))
        self._accepted.finish()

    def cut(self) -> None:
        """The end of TCP, behind everything written, without close_notify."""
        self._accepted.finish()

    def reset(self) -> None:
        """RST."""
        self._accepted.reset()


async def accept_tls(channel: Accepted, options: TlsOptions) -> ServerStream:
    """The server's handshake. Raises SSL.Error or OSError."""
    connection = SSL.Connection(_context(options), None)
    connection.set_accept_state()
    stream = ServerStream(channel, connection)
    await stream.handshake()
    return stream


def _context(options: TlsOptions) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(options.version)
    context.set_max_proto_version(options.version)
    identity = options.identity
    context.use_certificate(identity.certificate)
    context.use_privatekey(identity.key)
    context.set_alpn_select_callback(lambda _connection, _offered: options.alpn)
    if options.ask != "no":
        mode = SSL.VERIFY_PEER
        if options.ask == "required":
            mode |= SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        context.set_session_id(b"ratls-simulator")
        context.set_verify(mode, lambda *_: True)
    return context
