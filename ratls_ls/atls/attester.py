"""Asks the attester for evidence over an open, still unattested stream.

Invariant: one quote request and its answer is all that this module lets cross the stream; if
anything else waits on it afterwards, the evidence is refused.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import h11

from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.evidence import Evidence, parse_quote_response
from ratls_ls.rats.result import ClaimName
from ratls_ls.turns import rest

from .errors import Step, UnreachableError
from .tls import TlsStream

QUOTE_PATH = "/tdx_quote"
QUOTE_SECONDS = 30.0
NONCE_BYTES = 32
MAX_RESPONSE_BYTES = 2 * 1024 * 1024
MAX_HEAD_BYTES = 16 * 1024
MAX_INFORMATIONAL = 4
_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


async def request_evidence(stream: TlsStream, host: str, port: int) -> tuple[Evidence, bytes]:
    """Evidence and the nonce that was sent for it, 32 fresh random bytes.

    Raises EvidenceError (the server erred) or UnreachableError (step `quote`).
    """
    async with _limited(host, "gave no whole quote within"):
        return await _request_evidence(stream, host_header(host, port))


async def check_nothing_waits(stream: TlsStream, host: str) -> None:
    """Nothing has come since the evidence did.

    Raises EvidenceError for what would be taken for the answer to a prompt, UnreachableError where
    the connection was cut.
    """
    async with _limited(host, "did not end what it sends behind the quote within"):
        if await stream.has_unread():
            raise _more_than_asked()


@asynccontextmanager
async def _limited(host: str, failing: str) -> AsyncIterator[None]:
    """`failing`: what `host` did in so many seconds."""
    try:
        async with asyncio.timeout(QUOTE_SECONDS):
            yield
    except TimeoutError as error:
        raise UnreachableError(
            Step.QUOTE, host, f"{host} {failing} {QUOTE_SECONDS:.0f} s"
        ) from error
    except OSError as error:
        raise UnreachableError(
            Step.QUOTE, host, f"{host} cut the connection during the quote request: {error}"
        ) from error


async def _request_evidence(stream: TlsStream, authority: str) -> tuple[Evidence, bytes]:
    exchange = _Exchange(stream, authority)
    # Both generations of servers take their own key of the pair and leave the other.
    nonce = secrets.token_bytes(NONCE_BYTES)
    answer = await exchange.post({"nonce_hex": nonce.hex(), "report_data": nonce.hex()})
    for key in ("nonce_hex", "report_data"):
        if answer.status not in (400, 422) or exchange.over:
            break
        nonce = secrets.token_bytes(NONCE_BYTES)
        answer = await exchange.post({key: nonce.hex()})
    if answer.status != 200:
        raise _refused(answer.status)
    if exchange.over:
        raise _malformed("the server closed the connection it was to attest")
    if exchange.has_trailing_data or await stream.has_unread():
        raise _more_than_asked()
    # A megabyte of it takes longer than others may wait.
    return await asyncio.to_thread(parse_quote_response, answer.body), nonce


def _more_than_asked() -> EvidenceError:
    return _malformed("bytes, or the end of the connection, wait behind it")


class _Exchange:
    """HTTP/1.1 by h11, stricter than h11 itself where leniency would let an answer be smuggled."""

    def __init__(self, stream: TlsStream, authority: str) -> None:
        self._stream = stream
        self._authority = authority
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._received = 0

    @property
    def over(self) -> bool:
        """Whether this connection carries no further request."""
        return self._http.their_state is not h11.DONE

    @property
    def has_trailing_data(self) -> bool:
        return bool(self._http.trailing_data[0])

    async def post(self, message: dict[str, str]) -> _Answer:
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        body = json.dumps(message, separators=(",", ":")).encode()
        request = h11.Request(
            method="POST",
            target=QUOTE_PATH,
            headers=[
                ("Host", self._authority),
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Accept", "application/json"),
                ("Accept-Encoding", "identity"),
            ],
        )
        events = (request, h11.Data(data=body), h11.EndOfMessage())
        await self._stream.write(b"".join(self._http.send(event) or b"" for event in events))
        try:
            return await self._answer()
        except h11.RemoteProtocolError as error:
            raise _malformed("the quote answer is not proper HTTP/1.1") from error

    async def _answer(self) -> _Answer:
        status, informational, body = 0, 0, bytearray()
        while True:
            await rest()
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                await self._receive()
            elif isinstance(event, h11.InformationalResponse):
                informational += 1
                if informational > MAX_INFORMATIONAL:
                    raise _malformed("too many informational responses")
            elif isinstance(event, h11.Response):
                status = event.status_code
                _check_head(event)
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return _Answer(status, bytes(body))
            else:
                raise _malformed("the quote answer ended early")

    async def _receive(self) -> None:
        data = await self._stream.read(_READ_BYTES)
        self._received += len(data)
        if self._received > MAX_RESPONSE_BYTES:
            raise _malformed(f"the quote answer is larger than {MAX_RESPONSE_BYTES} bytes")
        self._http.receive_data(data)


def _check_head(response: h11.Response) -> None:
    names = [bytes(name) for name, _ in response.headers]
    if b"content-length" in names and b"transfer-encoding" in names:
        raise _malformed("Content-Length and Transfer-Encoding together")
    if response.status_code != 200:
        return
    for name, value in response.headers:
        if name == b"content-encoding" and bytes(value).strip().lower() != b"identity":
            raise _malformed("a content encoding that was not asked for")
    if b"content-length" not in names and b"transfer-encoding" not in names:
        raise _malformed("an answer without length, which closes the connection")


def _refused(status: int) -> EvidenceError:
    if 300 <= status < 400:
        reason = "the server redirects the quote request; redirects are never followed"
    elif status == 404:
        reason = (
            f"the server has no {QUOTE_PATH}: is it a TEE server, and base_url its own address?"
        )
    else:
        reason = "the server refused to give a quote; its operator's logs tell why"
    return EvidenceError(
        ClaimName.QUOTE_FORMAT, reason, expected="HTTP status 200", actual=f"HTTP status {status}"
    )


def _malformed(reason: str) -> EvidenceError:
    return EvidenceError(ClaimName.QUOTE_FORMAT, f"quote answer refused: {reason}")


def host_header(host: str, port: int) -> str:
    """What requests to `https://host:port` have as `Host`."""
    name = f"[{host}]" if ":" in host else host
    return name if port == 443 else f"{name}:{port}"
