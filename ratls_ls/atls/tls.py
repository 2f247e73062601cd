"""TLS 1.3 by pyOpenSSL over memory BIOs, for its exporter (RFC 8446 7.5, RFC 9266).

Invariant: a client stream leaves `handshake` only as TLS 1.3 with a verified chain and host name.
No resumption, no early data, no client certificate, ALPN http/1.1 at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import (
    verify_certificate_hostname,
    verify_certificate_ip_address,
)

from ratls_ls.stamps import Stamp, as_they_are
from ratls_ls.turns import rest

from .errors import Step, UnreachableError
from .network import TcpChannel

HANDSHAKE_SECONDS = 10.0
EXPORTER_LABEL = b"EXPORTER-Channel-Binding"  # RFC 9266 section 4.2
EXPORTER_BYTES = 32
ALPN_HTTP11 = b"http/1.1"
_RECORD_BYTES = 16 * 1024
# RFC 8446 sections 5.1 and 5.2: a record is a header, whose last two bytes are the length of the
# rest, and at most so much. What is decrypted at once is one, or so many that are small.
_HEADER_BYTES = 5
_WHOLE_RECORD_BYTES = _HEADER_BYTES + _RECORD_BYTES + 256
_CHUNK_BYTES = 64 * 1024

_NAME_IT = "name its CA with --ca-file, in an editor with the setting tls.caFile"
# X509_V_ERR_* of openssl/x509_vfy.h, in words a person can act on.
_VERIFY_WORDS = {
    9: "the certificate is not valid yet; is this machine's clock right?",
    10: "the certificate has expired, or this machine's clock is wrong",
    18: "the certificate is self-signed",
    19: f"the chain ends in an unknown self-signed certificate; {_NAME_IT}",
    20: f"no trusted CA issued the certificate; {_NAME_IT}",
    21: f"no trusted CA issued the certificate; {_NAME_IT}",
    23: "the certificate is revoked",
    26: "the certificate is not for TLS servers",
}


class _Records:
    """Where one record ends and the next begins, which OpenSSL keeps to itself."""

    def __init__(self) -> None:
        self._header = b""
        self._left = 0

    @property
    def none_begun(self) -> bool:
        return not self._left and not self._header

    def take(self, data: bytes) -> None:
        position = 0
        while position < len(data):
            if self._left:
                step = min(self._left, len(data) - position)
                self._left -= step
            else:
                step = _HEADER_BYTES - len(self._header)
                self._header += data[position : position + step]
                if len(self._header) == _HEADER_BYTES:
                    self._left = int.from_bytes(self._header[3:], "big")
                    self._header = b""
            position += step


class TlsStream:
    """Bytes over one TLS session, client or server side, on one TCP channel.

    `verified_host`: the name that the verified certificate is for; None until that was checked.
    """

    def __init__(self, channel: TcpChannel, connection: SSL.Connection) -> None:
        self._channel = channel
        self._connection = connection
        self._records = _Records()
        self._write_lock = asyncio.Lock()
        self.verified_host: str | None = None

    async def handshake(self) -> None:
        """Raises SSL.Error or OSError."""
        while True:
            try:
                self._connection.do_handshake()
            except SSL.WantReadError:
                await self._flush()
                await self._feed()
            except SSL.Error:
                await self._flush()  # so that the peer learns of it by alert
                raise
            else:
                await self._flush()
                return

    async def read(self, max_bytes: int) -> bytes:
        """Decrypted bytes, at least one; b"" after the peer's close_notify.

        Raises ConnectionResetError when TCP ends without it: the answer may be cut.
        """
        while True:
            try:
                return self._connection.recv(max_bytes)
            except SSL.WantReadError:
                await self._flush()
                await self._feed()
            except SSL.ZeroReturnError:
                return b""
            except SSL.Error as error:
                raise ConnectionResetError(f"TLS failed: {words(error)}") from error

    async def write(self, data: bytes) -> None:
        """Encrypt and send all of `data`; returns when the kernel took it. A kernel that takes
        everything at once ends no turn of the event loop."""
        async with self._write_lock:
            view = memoryview(data)
            while view:
                try:
                    sent = self._connection.send(bytes(view[:_RECORD_BYTES]))
                except SSL.Error as error:
                    raise ConnectionResetError(f"TLS failed: {words(error)}") from error
                view = view[sent:]
                await self._flush()
                await rest()

    def export(self, label: bytes = EXPORTER_LABEL, length: int = EXPORTER_BYTES) -> bytes:
        """Keying material of this very session, without context (None: RFC 9266 section 4.2)."""
        return self._connection.export_keying_material(label, length, None)

    @property
    def version(self) -> str:
        return self._connection.get_protocol_version_name()

    @property
    def alpn(self) -> bytes:
        return self._connection.get_alpn_proto_negotiated()

    @property
    def leaf(self) -> x509.Certificate | None:
        return self._connection.get_peer_certificate(as_cryptography=True)

    @property
    def leaf_sha256(self) -> bytes:
        leaf = self.leaf
        if leaf is None:
            raise ValueError("the peer showed no certificate")
        return hashlib.sha256(leaf.public_bytes(Encoding.DER)).digest()

    async def has_unread(self) -> bool:
        """Whether application data, or a polite end, already waits in TLS, the channel or the
        kernel. Raises ConnectionResetError where TCP ended instead.

        Records that are not application data (tickets, key updates) are taken in and do not count.
        What one is shows at its end, so that of a record which has begun is waited for.
        """
        while True:
            if self._application_data_waits():
                return True
            if self._records.none_begun and not self._channel.waiting:
                return False
            await self._feed()

    @property
    def idle_is_broken(self) -> bool:
        """For a stream at rest: whether anything at all waits on it. Does not wait itself."""
        waits = self._application_data_waits() or self._channel.waiting
        return waits or not self._records.none_begun

    def close(self) -> None:
        """Close the socket at once, with a close_notify if that goes without waiting."""
        # Any failure here means that the peer is gone already.
        with contextlib.suppress(SSL.Error, OSError):
            self._connection.shutdown()
            self._channel.write(self._connection.bio_read(_CHUNK_BYTES))
        self._channel.close()

    def _application_data_waits(self) -> bool:
        try:
            self._connection.recv(1, socket.MSG_PEEK)
        except SSL.WantReadError:
            return False
        except SSL.Error:
            return True
        return True

    async def _flush(self) -> None:
        while True:
            try:
                data = self._connection.bio_read(_CHUNK_BYTES)
            except SSL.WantReadError:
                return
            await self._channel.send(data)

    async def _feed(self) -> None:
        data = await self._channel.receive(_WHOLE_RECORD_BYTES)
        if not data:
            # Not `bio_shutdown`: an end without close_notify is an error, not an end of data.
            raise ConnectionResetError("the connection ended without a TLS close_notify")
        self._records.take(data)
        view = memoryview(data)
        while view:
            view = view[self._connection.bio_write(bytes(view)) :]
        await rest()


def client_context(ca_files: Sequence[Path] = ()) -> SSL.Context:
    """A context that trusts the web PKI roots and those in `ca_files` (PEM), and nothing older
    than TLS 1.3. Raises OSError or SSL.Error for a file that cannot be read as certificates."""
    return _client_context(as_they_are(ca_files))


@lru_cache(maxsize=8)
def _client_context(ca_files: tuple[tuple[Path, Stamp], ...]) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_max_proto_version(SSL.TLS1_3_VERSION)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_alpn_protos([ALPN_HTTP11])
    context.load_verify_locations(certifi.where())
    for ca_file, _ in ca_files:
        context.load_verify_locations(str(ca_file))
    return context


async def connect_tls(
    channel: TcpChannel,
    host: str,
    ca_files: Sequence[Path] = (),
    on_step: Callable[[Step], None] = lambda _: None,
) -> TlsStream:
    """The client's handshake with `host` over `channel`, which is closed on any failure. `on_step`
    is told of each step as it begins.

    Raises UnreachableError (step `tls`).
    """
    refused: list[int] = []

    def observe(
        _connection: SSL.Connection, _certificate: object, code: int, _depth: int, good: int
    ) -> bool:
        if not good:
            refused.append(code)
        return bool(good)

    try:
        on_step(Step.TLS)
        # The first time all roots are read, which takes longer than a keystroke may wait.
        context = await asyncio.to_thread(client_context, ca_files)
        connection = SSL.Connection(context, None)
        connection.set_verify(SSL.VERIFY_PEER, observe)
        if not _is_ip(host):
            connection.set_tlsext_host_name(host.encode("ascii"))  # in punycode, as in a URL
        connection.set_connect_state()
        stream = TlsStream(channel, connection)
        async with asyncio.timeout(HANDSHAKE_SECONDS):
            await stream.handshake()
        _check_session(stream, host)
        stream.verified_host = host
    except BaseException as error:
        channel.close()
        if isinstance(error, TimeoutError):
            message = f"{host} did not finish the TLS handshake within {HANDSHAKE_SECONDS:.0f} s"
        elif refused:
            message = f"certificate of {host} refused: {_verify_words(refused[0])}"
        elif isinstance(error, SSL.Error):
            message = f"TLS handshake with {host} failed: {words(error)}; TLS 1.3 is required"
        elif isinstance(error, (OSError, UnicodeError, _SessionError)):
            message = f"TLS handshake with {host} failed: {error}"
        else:
            raise
        raise UnreachableError(Step.TLS, host, message) from error
    return stream


class _SessionError(Exception):
    pass


def _check_session(stream: TlsStream, host: str) -> None:
    if stream.version != "TLSv1.3":
        raise _SessionError(f"TLS 1.3 is required, the server speaks {stream.version}")
    if stream.alpn not in (b"", ALPN_HTTP11):
        raise _SessionError(f"HTTP/1.1 was offered, the server chose {stream.alpn!r}")
    leaf = stream.leaf
    if leaf is None:
        raise _SessionError("the server showed no certificate")
    try:
        if _is_ip(host):
            verify_certificate_ip_address(leaf, host)
        else:
            verify_certificate_hostname(leaf, host)
    except (x509.UnsupportedGeneralNameType, x509.DuplicateExtension) as error:
        raise _SessionError("what its certificate is for cannot be read") from error
    except (VerificationError, CertificateError, ValueError) as error:
        raise _SessionError(f"its certificate is not for {host}") from error


def _is_ip(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _verify_words(code: int) -> str:
    return _VERIFY_WORDS.get(code, f"OpenSSL verification error {code}")


def words(error: SSL.Error) -> str:
    """OpenSSL's own reason, without its codes."""
    if isinstance(error, SSL.SysCallError):
        return "the connection was cut"
    stack = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = [str(entry[-1]) for entry in stack if entry]
    return "; ".join(reasons) or "protocol error"
