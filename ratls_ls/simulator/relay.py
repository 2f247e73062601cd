"""The attacker's other half: a quote fetched from a genuine server, over a session of its own."""

from __future__ import annotations

import asyncio

import h11
from OpenSSL import SSL

from ratls_ls.atls.network import TcpChannel
from ratls_ls.atls.tls import TlsStream

from .record import QUOTE_PATH

_READ_BYTES = 64 * 1024


async def fetch_quote(port: int, body: bytes) -> bytes:
    """The genuine server's answer body to a quote request with `body`. Raises OSError."""
    loop = asyncio.get_running_loop()
    _, channel = await loop.create_connection(TcpChannel, "127.0.0.1", port)
    try:
        # An attacker does not mind whom it talks to: the quote is genuine, or it is no use.
        connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
        connection.set_connect_state()
        stream = TlsStream(channel, connection)
        await stream.handshake()
        return await _post(stream, body)
    finally:
        channel.close()


async def _post(stream: TlsStream, body: bytes) -> bytes:
    http = h11.Connection(h11.CLIENT)
    headers = [("Host", "localhost"), ("Content-Length", str(len(body)))]
    request = h11.Request(method="POST", target=QUOTE_PATH, headers=headers)
    for event in (request, h11.Data(data=body), h11.EndOfMessage()):
        await stream.write(http.send(event) or b"")
    answer = bytearray()
    while True:
        received = http.next_event()
        if received is h11.NEED_DATA:
            http.receive_data(await stream.read(_READ_BYTES))
        elif isinstance(received, h11.Data):
            answer += received.data
        elif isinstance(received, h11.EndOfMessage):
            return bytes(answer)
        elif isinstance(received, h11.ConnectionClosed):
            raise ConnectionResetError("the genuine server went away")
