"""The seam: httpcore asks for a TLS stream and gets an attested one, or none.

Invariant: `start_tls` returns a stream only if this very socket was appraised and affirmed.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import httpcore

from ratls_ls.config.model import Provider
from ratls_ls.rats.appraise import appraise
from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.binding import LiveBinding
from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.quote import collateral_key
from ratls_ls.rats.result import AttestationResult, ClaimName, ClaimVerdict

from . import proxy
from .attester import check_nothing_waits, request_evidence
from .errors import AttestationRejectedError, Step, UnreachableError
from .tls import TlsStream, connect_tls
from .transport import read
from .verifier import Verifier


@dataclass(slots=True)
class Progress:
    """How far one request got; lives in its task. `attestation`: the one made for this request;
    None if its connection was attested before. `failure`: why it had to be tried again. `sent`:
    whether anything of it may have gone out, at whatever try. `on_step` is told of each step as it
    begins; what it raises ends the request there."""

    step: Step = Step.DNS
    attestation: Attestation | None = None
    failure: UnreachableError | None = None
    sent: bool = False
    on_step: Callable[[Step], None] = lambda _: None

    def reach(self, step: Step) -> None:
        self.step = step
        self.on_step(step)

    def begin(self) -> None:
        """A request waits for a connection, and with it for its step."""
        self.step, self.attestation = Step.QUEUE, None


progress: ContextVar[Progress] = ContextVar("progress")  # set by whoever sends


class AttestedStream(httpcore.AsyncNetworkStream):
    """A TLS stream whose own appraisal affirmed the server at its other end. `is_current`: whether
    it may take another request.

    Invariant: once an answer is read to its end, whatever came behind it still waits here, and
    none of it where it would be taken for the answer to the next request.
    """

    def __init__(
        self, tls: TlsStream, attestation: Attestation, is_current: Callable[[], bool]
    ) -> None:
        self._tls = tls
        self._is_current = is_current
        self.attestation = attestation
        self._last = b""  # the byte that is handed on when it is asked for, and not before

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        try:
            async with asyncio.timeout(timeout):
                data = self._last or await read(self._tls.read, max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(f"nothing came for {timeout:g} s") from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error
        self._last = b""
        # Who reads an answer asks for more until it is whole. So nobody asks for the last byte of
        # what holds more than that, and where something waits behind, for none of that.
        if len(data) > 1 and not self._tls.idle_is_broken:
            data, self._last = data[:-1], data[-1:]
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if buffer:
            state = progress.get()
            state.reach(Step.REQUEST)
            state.sent = True
        try:
            async with asyncio.timeout(timeout):
                await self._tls.write(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(f"nothing was taken for {timeout:g} s") from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._tls.close()

    def get_extra_info(self, info: str) -> Any:
        # The pool asks this of an idle stream, and replaces one that is readable.
        if info == "is_readable":
            return not self._is_current() or bool(self._last) or self._tls.idle_is_broken
        if info == "attestation":
            return self.attestation
        return None

    @property
    def usable(self) -> bool:
        return not self.get_extra_info("is_readable")


class AttestedBackend(httpcore.AsyncNetworkBackend):
    """Streams to one provider, each appraised on its own.

    `on_attested` is told of every appraisal, affirmed or not.
    """

    def __init__(
        self,
        provider: Provider,
        verifier: Verifier,
        on_attested: Callable[[Attestation], None] = lambda _: None,
    ) -> None:
        self._provider = provider
        self._verifier = verifier
        self._on_attested = on_attested
        self._warm: list[AttestedStream] = []
        self._generation = 0  # ends when the server is refused: no idle stream outlives that

    async def warm_up(self, state: Progress) -> Attestation:
        """Attest a fresh connection now and hold it for the next request.

        Raises as `start_tls` does.
        """
        stream = await self._attested(state)
        for old in self._warm:
            await old.aclose()
        self._warm = [stream]
        return stream.attestation

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        if (host, port) != (self._provider.host, self._provider.port):
            raise RuntimeError("an attested backend connects to its provider only")
        while self._warm:
            stream = self._warm.pop()
            if stream.usable:
                return _Unattested(self, stream)
            await stream.aclose()
        return _Unattested(self, None)

    async def attested(self, warm: AttestedStream | None) -> AttestedStream:
        return warm if warm is not None else await self._attested(progress.get())

    async def aclose(self) -> None:
        while self._warm:
            await self._warm.pop().aclose()

    async def _attested(self, state: Progress) -> AttestedStream:
        """TCP, TLS, evidence, collateral, appraisal; the socket is closed unless affirmed.

        Raises UnreachableError or AttestationRejectedError.
        """
        try:
            stream = await self._once_attested(state)
        except _CertificateRenewedError:
            # An honest server may still show the old one for a moment; the next handshake counts.
            stream = await self._once_attested(state, again=True)
        except UnreachableError as error:
            error.cut = _was_cut(error)  # known here only: httpcore takes the cause away
            raise
        return stream

    async def _once_attested(self, state: Progress, *, again: bool = False) -> AttestedStream:
        started = time.monotonic()
        provider, terms = self._provider, self._verifier.terms
        channel = await proxy.connect(provider.host, provider.port, state.reach)
        tls = await connect_tls(channel, provider.host, self._verifier.ca_files, state.reach)
        connected = time.monotonic()
        try:
            attestation = await self._attest(tls, state)
            attestation = replace(
                attestation,
                connect_ms=(connected - started) * 1000,
                attest_ms=(time.monotonic() - connected) * 1000,
            )
            if not again and _is_of_renewed_certificate(attestation):
                raise _CertificateRenewedError
            self._on_attested(attestation)
            if not attestation.result.affirmed:
                self._generation += 1
                raise AttestationRejectedError(attestation.result)
            state.attestation = attestation
            state.reach(Step.REQUEST)
            return AttestedStream(tls, attestation, self._term(terms))
        except BaseException:
            tls.close()
            raise

    def _term(self, terms: tuple[object, ...]) -> Callable[[], bool]:
        """Whether what is attested now under `terms` may take a request: until these are others,
        its server is refused, or it is too old by either clock. One stands still while the machine
        sleeps, the other may be set back."""
        generation, verifier = self._generation, self._verifier
        awake_until = time.monotonic() + verifier.max_age_seconds
        until = verifier.clock() + verifier.max_age_seconds
        return lambda: (
            generation == self._generation
            and time.monotonic() < awake_until
            and verifier.clock() < until
            and verifier.terms == terms
        )

    async def _attest(self, tls: TlsStream, state: Progress) -> Attestation:
        provider, verifier = self._provider, self._verifier
        exporter = tls.export()
        evidence: Evidence | EvidenceError
        nonce, collateral, key = b"", None, None
        state.reach(Step.QUOTE)
        try:
            evidence, nonce = await request_evidence(tls, provider.host, provider.port)
            key = collateral_key(evidence.quote)
        except EvidenceError as error:
            evidence = error.alone()
        if key is not None:
            state.reach(Step.PCCS)
            collateral = await verifier.store.get(provider.pccs_url, key, int(verifier.clock()))
        binding = LiveBinding(
            origin=provider.origin,
            tls_version=tls.version,
            verified_host=tls.verified_host,
            leaf_certificate_sha256=tls.leaf_sha256,
            nonce=nonce,
            exporter=exporter,
        )

        async def judge(given: Evidence | EvidenceError) -> AttestationResult:
            return await asyncio.to_thread(
                appraise,
                given,
                collateral=collateral,
                policy=verifier.policy(provider.peer),
                binding=binding,
                now=int(verifier.clock()),
                anchors=verifier.anchors,
                minimum_tcb_evaluation=verifier.store.floor(key.fmspc) if key else 0,
            )

        result = await judge(evidence)
        # Looked at again, last: what came meanwhile would be taken for the answer to a prompt.
        if isinstance(evidence, Evidence):
            try:
                await check_nothing_waits(tls, provider.host)
            except EvidenceError as error:
                evidence = error.alone()
                result = await judge(evidence)
        if key is not None and collateral is not None and _verified(result):
            verifier.store.keep(
                provider.pccs_url,
                key,
                collateral,
                result.tcb_evaluation_data_number,
                durable=not result.simulated,
            )
        return Attestation(result, evidence, collateral, binding)


class _Unattested(httpcore.AsyncNetworkStream):
    """What httpcore holds between `connect_tcp` and `start_tls`: nothing can be written to it."""

    def __init__(self, backend: AttestedBackend, warm: AttestedStream | None) -> None:
        self._backend = backend
        self._warm = warm

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
    ) -> httpcore.AsyncNetworkStream:
        return await self._backend.attested(self._warm)

    async def aclose(self) -> None:
        if self._warm is not None:
            await self._warm.aclose()


class _CertificateRenewedError(Exception):
    """The event log announces another certificate than this socket shows, all else is well."""


def _is_of_renewed_certificate(attestation: Attestation) -> bool:
    failed = attestation.result.failed_claims
    return [claim.name for claim in failed] == [ClaimName.CHANNEL_BINDING] and failed[
        0
    ].actual == attestation.binding.leaf_certificate_sha256.hex()


def _was_cut(error: UnreachableError) -> bool:
    cause = error.__cause__
    steps = (Step.TCP, Step.TLS, Step.QUOTE)
    timed_out = isinstance(cause, TimeoutError)
    return error.step in steps and isinstance(cause, OSError) and not timed_out


def _verified(result: AttestationResult) -> bool:
    return all(
        result.claim(name).verdict is ClaimVerdict.PASSED
        for name in (ClaimName.QUOTE_SIGNATURE, ClaimName.COLLATERAL)
    )
