"""Requests to one provider over attested connections.

Invariant: every request runs on a socket that its own appraisal affirmed, or not at all.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpcore
import httpx

from ratls_ls.config.model import Provider
from ratls_ls.rats.attestation import Attestation

from .attester import host_header
from .backend import AttestedBackend, Progress, progress
from .errors import (
    BrokenResponseError,
    DeadlineError,
    Step,
    UnreachableError,
    WithdrawnError,
)
from .request import PreparedRequest
from .transport import client
from .verifier import Verifier

MAX_CONNECTIONS = 128
IDLE_SECONDS = 5 * 60.0
RETRY_SECONDS = 0.2
# RFC 9110 section 9.2.2: sending these twice means the same as once.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
_HTTP_ERRORS = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException)


@dataclass(slots=True)
class Timings:
    """Milliseconds; `reused`: the connection was attested before this request came."""

    connect_ms: float = 0.0
    attest_ms: float = 0.0
    first_byte_ms: float = 0.0
    reused: bool = True


@dataclass(slots=True)
class AttestedResponse:
    """A response head and its body as it comes. Header names are lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    attestation: Attestation
    timings: Timings
    received: int = 0
    _response: httpx.Response = field(kw_only=True, repr=False)

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    async def chunks(self) -> AsyncIterator[bytes]:
        """Body bytes, undecoded. Raises BrokenResponseError."""
        try:
            async for chunk in self._response.aiter_raw():
                self.received += len(chunk)
                yield chunk
        except _HTTP_ERRORS as error:
            raise BrokenResponseError(
                f"the answer was cut: {_words(error)}", self.received
            ) from error

    async def aclose(self) -> None:
        """Free the connection if the body was read whole, else close it."""
        await _close(self._response)


class AttestedClient:
    """The attested connections to one provider under one policy.

    Must be closed with `aclose`; requests still running then fail.
    """

    def __init__(
        self,
        provider: Provider,
        verifier: Verifier,
        on_attested: Callable[[Attestation], None] = lambda _: None,
    ) -> None:
        self.provider = provider
        self._running = 0
        self._retired = False
        # Who waits does so here: httpcore looks at all that wait whenever one begins or ends.
        self._free = asyncio.Semaphore(MAX_CONNECTIONS)
        self._host_header = host_header(provider.host, provider.port)
        self._backend = AttestedBackend(provider, verifier, on_attested)
        self._http = client(
            httpcore.AsyncConnectionPool(
                # Never used: the backend's streams do TLS themselves. Given so that httpcore
                # does not load certificates for a context of its own.
                ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                max_connections=MAX_CONNECTIONS,
                # httpcore counts the busy ones too, and would close each that comes to rest.
                max_keepalive_connections=MAX_CONNECTIONS,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=self._backend,
            )
        )

    async def attest(self, on_step: Callable[[Step], None] = lambda _: None) -> Attestation:
        """Attest a fresh connection now; it stays open for the next request. `on_step` is told of
        each step as it begins.

        Raises UnreachableError or AttestationRejectedError.
        """
        async with self._in_use():
            return await self._backend.warm_up(Progress(on_step=on_step))

    async def retire(self) -> None:
        """Close as soon as no request runs any more."""
        self._retired = True
        if self._running == 0:
            await self.aclose()

    async def aclose(self) -> None:
        self._retired = True
        await self._backend.aclose()
        await self._http.aclose()

    @asynccontextmanager
    async def send(
        self,
        request: PreparedRequest,
        timeout_seconds: float,
        is_meant: Callable[[], bool] = lambda: True,
    ) -> AsyncIterator[AttestedResponse]:
        """The response, head first; leaving the context closes or frees its connection.

        `timeout_seconds` is for all of it, body included. `is_meant` is asked before anybody is
        contacted and before anything is sent, whether that is still to be. Raises
        UnreachableError, AttestationRejectedError or BrokenResponseError.
        """

        def go_on(step: Step) -> None:
            if not is_meant():
                sent = "sent no further" if state.sent else "not sent"
                raise WithdrawnError(
                    step,
                    self.provider.host,
                    "the provider's configuration or the settings changed while the request"
                    f" waited, so it was {sent}; send it again",
                )

        state = Progress(on_step=go_on)
        token = progress.set(state)
        response: AttestedResponse | None = None
        deadline = asyncio.timeout(timeout_seconds)
        try:
            async with self._in_use(), deadline:
                state.begin()
                async with self._free:
                    response = await self._send_with_retries(request, state)
                    try:
                        yield response
                    finally:
                        await response.aclose()
        except TimeoutError as error:
            if not deadline.expired():
                raise
            message = f"not finished within {timeout_seconds:g} s"
            if state.failure is not None:
                message = f"{message}: {state.failure}"
            if state.step is not Step.REQUEST:
                raise DeadlineError(state.step, self.provider.host, message) from error
            received = response.received if response is not None else 0
            raise BrokenResponseError(message, received) from error
        finally:
            state.failure = None  # its frames lead here: the prompt would wait to be collected
            progress.reset(token)

    @asynccontextmanager
    async def _in_use(self) -> AsyncIterator[None]:
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            if self._retired and self._running == 0:
                await self.aclose()

    async def _send_with_retries(
        self, request: PreparedRequest, state: Progress
    ) -> AttestedResponse:
        for attempt in range(request.retries):
            try:
                return await self._send(request, state)
            except UnreachableError as error:
                # Nothing was sent. What was judged, or waited for in vain, is not tried again.
                if not error.cut:
                    raise
                state.step, state.failure = error.step, error
            except BrokenResponseError:
                if request.method not in _IDEMPOTENT:
                    raise
            await asyncio.sleep(RETRY_SECONDS * 2**attempt)
        return await self._send(request, state)

    async def _send(self, request: PreparedRequest, state: Progress) -> AttestedResponse:
        started = time.monotonic()
        # Known before anything goes out: with a pooled connection no other step comes.
        state.begin()
        built = self._http.build_request(
            request.method,
            request.url,
            # Else httpx looks for one, and fails at names that DNS knows and IDNA does not.
            headers=[("Host", self._host_header), *request.headers],
            content=request.body or None,
            timeout=httpx.Timeout(request.idle_seconds, pool=None, connect=None),
        )
        try:
            response = await self._http.send(built, stream=True)
        except _HTTP_ERRORS as error:
            raise BrokenResponseError(f"no answer came: {_words(error)}", 0) from error
        timings = Timings(first_byte_ms=(time.monotonic() - started) * 1000)
        attestation: Attestation = response.extensions["network_stream"].get_extra_info(
            "attestation"
        )
        if state.attestation is attestation:
            timings.reused = False
            timings.connect_ms = attestation.connect_ms
            timings.attest_ms = attestation.attest_ms
        if "content-length" in response.headers and "transfer-encoding" in response.headers:
            await _close(response)
            raise BrokenResponseError("Content-Length and Transfer-Encoding together", 0)
        headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        return AttestedResponse(
            response.status_code, headers, attestation, timings, _response=response
        )


async def _close(response: httpx.Response) -> None:
    await response.aclose()
    # The two lead to each other, and to the request: the prompt would wait to be collected.
    response.stream = httpx.ByteStream(b"")


def _words(error: Exception) -> str:
    """What is wrong, without what the server sent: h11 quotes that behind a colon."""
    return str(error).partition(":")[0]
