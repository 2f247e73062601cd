"""DCAP collateral from a PCCS: fetched, cached, remembered.

Invariant: only https (http on loopback), no redirect, 1 MiB a document, 15 s in all. Collateral is
cached only after it served a successful verification, and never served from there past its end or
below what any window saw of that platform. Where it cannot be told what they saw, none is served.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import logging
import ssl
import urllib.parse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from traceback import clear_frames
from typing import Any

import certifi
import httpcore
import httpx

from ratls_ls import bounded, private_files
from ratls_ls.config.hosts import is_loopback
from ratls_ls.rats import collateral as collaterals
from ratls_ls.rats import strict_json
from ratls_ls.rats.collateral import Collateral
from ratls_ls.rats.errors import CollateralError
from ratls_ls.rats.quote import CollateralKey
from ratls_ls.stamps import Stamp, as_they_are

from .errors import Step, UnreachableError
from .network import CONNECT_SECONDS, resolve
from .proxy import proxy_for
from .transport import client, read

FETCH_SECONDS = 15.0
MAX_DOCUMENT_BYTES = 1024 * 1024
MAX_CACHED = 64
# Intel's documents count for 30 days; two are left to find a PCCS that is up.
REFRESH_AHEAD_SECONDS = 2 * 24 * 3600
_TDX = "/tdx/certification/v4"
_SGX = "/sgx/certification/v4"
# Intel's own service has no rootcacrl path; this is where its documents say the CRL is.
_INTEL_HOST = "api.trustedservices.intel.com"
_INTEL_ROOT_CRL = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
MAX_EVALUATION_DIGITS = 9  # more are no number of Intel's but damage

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Fetch:
    """One fetch, and how many wait for it."""

    task: asyncio.Task[Collateral]
    waiters: int = 0


class CollateralStore:
    """Collateral by (PCCS, FMSPC, CA), in memory and on disk.

    `directory` None keeps everything in memory. `ca_files` are further TLS roots (PEM). Files may
    be shared between processes: each is replaced whole or only ever grows, and whatever is read
    back is verified again like any other collateral.
    """

    def __init__(self, directory: Path | None, ca_files: Sequence[Path] = ()) -> None:
        self._directory = directory
        self._ca_files = tuple(ca_files)
        self._kept: dict[tuple[str, CollateralKey], Collateral] = {}
        self._fetching: dict[tuple[str, CollateralKey], _Fetch] = {}
        self._renewing: dict[tuple[str, CollateralKey], asyncio.Task[Collateral]] = {}
        self._stopped = False
        self._floors: dict[str, int] = {}

    async def get(self, pccs_url: str, key: CollateralKey, now: int) -> Collateral:
        """Collateral still valid at `now` (Unix seconds), from cache or the PCCS.

        Near its end it is fetched anew beside, and served while that fails.

        Raises UnreachableError (step `pccs`).
        """
        place = (pccs_url, key)
        cached = self._kept.get(place)
        if not self._counts(cached, key, now):
            cached = await asyncio.to_thread(self._read, place)
        if cached is not None and self._counts(cached, key, now):
            self._kept[place] = cached
            return self._renewed(place, cached, now)
        fetching = self._fetching.get(place)
        if fetching is None:
            fetching = _Fetch(asyncio.create_task(fetch(pccs_url, key, self._ca_files)))
            self._fetching[place] = fetching
        fetching.waiters += 1
        try:
            # Shielded: one caller's cancellation must not take the answer from the others.
            return await asyncio.shield(fetching.task)
        except UnreachableError as error:
            # To each their own: the traceback of one for all would hold what all of them do.
            raise UnreachableError(error.step, error.host, str(error)) from error
        finally:
            fetching.waiters -= 1
            if not fetching.waiters:
                fetching.task.cancel()
                self._fetching.pop(place, None)
            del fetching  # an error of it would lead to this frame, and this frame to the error

    def _renewed(
        self, place: tuple[str, CollateralKey], cached: Collateral, now: int
    ) -> Collateral:
        """What a renewal under way has brought, else `cached`; starts one if it is time.

        What it brought is served once: only what then verifies is kept, by `keep`.
        """
        url, key = place
        renewing = self._renewing.get(place)
        if renewing is not None and renewing.done():
            del self._renewing[place]
            if not renewing.cancelled() and renewing.exception() is None:
                brought = renewing.result()
                return brought if self._counts(brought, key, now) else cached
        elif not (
            renewing or self._stopped or self._counts(cached, key, now + REFRESH_AHEAD_SECONDS)
        ):
            renewal = asyncio.create_task(self._renew(url, key, cached, now))
            # One that fails is tried again by whoever comes next; nobody is to be told.
            renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._renewing[place] = renewal
        return cached

    async def _renew(
        self, url: str, key: CollateralKey, cached: Collateral, now: int
    ) -> Collateral:
        """What the PCCS has, or `cached` if that is no worse. Raises UnreachableError."""
        brought = await fetch(url, key, self._ca_files)

        def better() -> Collateral:
            found = self._counts(brought, key, now) and _outlives(brought, cached)
            return brought if found else cached

        # From then on what they say of themselves is known, and takes no time to look at.
        return await asyncio.to_thread(better)

    def _counts(self, cached: Collateral | None, key: CollateralKey, now: int) -> bool:
        """Whether collateral may serve at `now` without its PCCS being asked."""
        if cached is None:
            return False
        try:
            seen = collaterals.evaluation_number(cached)
            return now < collaterals.expires_at(cached) and seen >= self.floor(key.fmspc)
        except CollateralError:
            return False

    def floor(self, fmspc: str) -> int:
        """The highest tcbEvaluationDataNumber that served a verification of this FMSPC, by this
        process or another; 0 if none did.

        Raises UnreachableError (step `pccs`) where what was noted of it cannot be read.
        """
        return max([self._floors.get(fmspc, 0), *self._noted(fmspc)])

    def keep(
        self,
        pccs_url: str,
        key: CollateralKey,
        collateral: Collateral,
        evaluation: int | None,
        *,
        durable: bool,
    ) -> None:
        """Remember collateral that just served a successful verification.

        Not `durable` where it rests on a root that is not Intel's: no other process may come to
        rely on what only an unsafe option let in.
        """
        place = (pccs_url, key)
        if evaluation is not None and evaluation > self.floor(key.fmspc):
            self._floors[key.fmspc] = evaluation
            if durable:
                self._note(key.fmspc, evaluation)
        if self._kept.get(place) == collateral and (not durable or self._written(place)):
            return
        self._kept.pop(place, None)
        while len(self._kept) >= MAX_CACHED:
            del self._kept[next(iter(self._kept))]
        self._kept[place] = collateral
        if durable:
            self._write(self._file(place), collaterals.to_json(collateral))

    def stop(self, pccs_url: str | None = None) -> None:
        """End what is fetched beside, from this PCCS or, once and for all, from any: nobody will
        use it, and nothing is to be contacted."""
        self._stopped = self._stopped or pccs_url is None
        for place in list(self._renewing):
            if pccs_url in (None, place[0]):
                self._renewing.pop(place).cancel()

    def clear(self) -> None:
        """Forget all collateral. What protects against roll-back is not forgotten."""
        self._kept.clear()
        if self._directory is not None:
            for file in self._directory.glob("collateral-*.json"):
                file.unlink(missing_ok=True)

    # Files. Collateral that cannot be read, or is corrupt, is as good as absent.

    def _file(self, place: tuple[str, CollateralKey]) -> Path | None:
        if self._directory is None:
            return None
        url, key = place
        name = hashlib.sha256(f"{url}\n{key.fmspc}\n{key.ca}\ntdx".encode()).hexdigest()[:32]
        return self._directory / f"collateral-{name}.json"

    def _floor_file(self, fmspc: str) -> Path | None:
        return None if self._directory is None else self._directory / f"tcb-evaluation-{fmspc}"

    def _written(self, place: tuple[str, CollateralKey]) -> bool:
        file = self._file(place)
        return file is None or file.is_file()

    def _read(self, place: tuple[str, CollateralKey]) -> Collateral | None:
        file = self._file(place)
        if file is None:
            return None
        try:
            return collaterals.from_json(bounded.read_file(file).decode("utf-8"))
        except (OSError, ValueError):
            return None

    def _note(self, fmspc: str, evaluation: int) -> None:
        """Added to what is there, never put in its place: another process may note more meanwhile,
        and what a crash cuts short takes nothing away."""
        if (file := self._floor_file(fmspc)) is not None:
            try:
                private_files.append(file, b"\n%d\n" % evaluation)
            except OSError as error:
                logger.warning(
                    "cannot note in %s that assessment %d was seen, so no later start notices a "
                    "roll-back behind it: %s",
                    file,
                    evaluation,
                    error.strerror,
                )

    def _noted(self, fmspc: str) -> list[int]:
        """Raises UnreachableError: who damages the notes must not undo what they guard against."""
        if (file := self._floor_file(fmspc)) is None:
            return []
        try:
            lines = (private_files.read(file) or b"").splitlines()
            numbers = [
                int(line) for line in lines if line.isdigit() and len(line) <= MAX_EVALUATION_DIGITS
            ]
            if any(lines) and not numbers:
                raise OSError(errno.EINVAL, "it holds no number")
        except OSError as error:
            raise UnreachableError(
                Step.PCCS,
                "localhost",
                f"cannot tell whether collateral is rolled back: {file}: {error.strerror}; mend it,"
                " or remove it to begin anew",
            ) from error
        return numbers

    def _write(self, file: Path | None, text: str) -> None:
        if file is None:
            return
        # A cache that cannot be written makes later starts slower, nothing else.
        with suppress(OSError):
            private_files.write(file, text.encode())


def _outlives(one: Collateral, other: Collateral) -> bool:
    try:
        return collaterals.expires_at(one) > collaterals.expires_at(other)
    except CollateralError:
        return False


def _root(pccs_url: str) -> str:
    """What stands before the paths of PCS v4: a `pccs_url` may have that of either TEE, or none.

    As `dcap-qvl`'s client for collateral has it, by which Codex fetches: what works there works
    here.
    """
    root = pccs_url.rstrip("/")
    for path in (_SGX, _TDX):
        while root.endswith(path):
            root = root.removesuffix(path)
    return root


async def fetch(pccs_url: str, key: CollateralKey, ca_files: Sequence[Path] = ()) -> Collateral:
    """All parts of the collateral from `pccs_url`.

    Raises UnreachableError (step `pccs`), naming the PCCS.
    """
    root = _root(pccs_url)
    parts = urllib.parse.urlsplit(pccs_url)
    host = parts.hostname or pccs_url
    urls = {
        "tcb": f"{root}{_TDX}/tcb?fmspc={key.fmspc}",
        "qe": f"{root}{_TDX}/qe/identity",
        "pck_crl": f"{root}{_SGX}/pckcrl?ca={key.ca}&encoding=der",
        "root_crl": _INTEL_ROOT_CRL if host == _INTEL_HOST else f"{root}{_SGX}/rootcacrl",
    }
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise UnreachableError(
            Step.PCCS, host, f"pccs_url {pccs_url} is not https; only loopback may be http"
        )
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            # To read all those roots takes longer than a keystroke may wait.
            context = await asyncio.to_thread(lambda: _context(as_they_are(ca_files)))
            async with _client(host, context) as http:
                documents = await _documents(http, urls)
                return await asyncio.to_thread(_assemble, documents)
    except TimeoutError as error:
        message = f"did not answer within {FETCH_SECONDS:.0f} s"
        raise UnreachableError(Step.PCCS, host, f"PCCS {host} {message}") from error
    except (_DocumentError, UnreachableError, OSError, UnicodeError, *_HTTP_ERRORS) as error:
        raise UnreachableError(
            Step.PCCS, host, f"PCCS {host}: {error}; try again or set another pccs_url"
        ) from error


_HTTP_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpx.InvalidURL,
)


async def _documents(http: httpx.AsyncClient, urls: Mapping[str, str]) -> dict[str, _Document]:
    found: dict[str, _Document] = {}

    async def get(name: str, url: str) -> None:
        found[name] = await _document(http, url)

    try:
        async with asyncio.TaskGroup() as group:
            for name, url in urls.items():
                group.create_task(get(name, url))
    except ExceptionGroup as errors:
        # The group and its errors lead to each other: what came stays until that is collected.
        found.clear()
        for error in errors.exceptions:
            clear_frames(error.__traceback__)
        raise errors.exceptions[0] from errors
    return found


class _DocumentError(ValueError):
    """What a PCCS answered is no collateral."""


@dataclass(frozen=True, slots=True)
class _Document:
    headers: httpx.Headers
    body: bytes

    def chain(self, *names: str) -> str:
        """The percent-encoded PEM chain in the first of these headers."""
        for name in names:
            if (value := self.headers.get(name)) is not None:
                return urllib.parse.unquote(value)
        raise _DocumentError(f"its answer lacks the header {names[0]}")


async def _document(http: httpx.AsyncClient, url: str) -> _Document:
    request = http.build_request("GET", url, headers={"Accept-Encoding": "identity"})
    path = request.url.path
    response = await http.send(request, stream=True)
    try:
        if response.status_code != 200:
            raise _DocumentError(f"status {response.status_code} for {path}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _DocumentError(f"an encoded answer for {path}")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_DOCUMENT_BYTES:
                raise _DocumentError(f"more than {MAX_DOCUMENT_BYTES} bytes for {path}")
        return _Document(response.headers, bytes(body))
    finally:
        await response.aclose()


def _assemble(documents: Mapping[str, _Document]) -> Collateral:
    tcb, qe, crl = documents["tcb"], documents["qe"], documents["pck_crl"]
    tcb_info, tcb_signature = _signed_part(tcb.body, "tcbInfo")
    identity, identity_signature = _signed_part(qe.body, "enclaveIdentity")
    return Collateral(
        pck_crl_issuer_chain=crl.chain("SGX-PCK-CRL-Issuer-Chain"),
        root_ca_crl=_der(documents["root_crl"].body),
        pck_crl=_der(crl.body),
        tcb_info_issuer_chain=tcb.chain("TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"),
        tcb_info=tcb_info,
        tcb_info_signature=tcb_signature,
        qe_identity_issuer_chain=qe.chain("SGX-Enclave-Identity-Issuer-Chain"),
        qe_identity=identity,
        qe_identity_signature=identity_signature,
    )


def _signed_part(body: bytes, key: str) -> tuple[str, bytes]:
    """The value of `key` exactly as sent, which is what Intel signed, and the signature."""
    try:
        text = body.decode("utf-8")
        if strict_json.has_too_many_parts(text):
            raise _DocumentError(f"too many parts in the answer with {key}")
        document: Any = json.loads(text)
        start = text.index("{", text.index(f'"{key}"') + len(key) + 2)
        value, end = json.JSONDecoder().raw_decode(text, start)
        if value != document[key]:
            raise _DocumentError(f"{key} stands twice")
        return text[start:end], bytes.fromhex(document["signature"])
    except _DocumentError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _DocumentError(f"its answer has no signed {key}") from error


def _der(body: bytes) -> bytes:
    """A CRL in DER; some PCCS send it as hex."""
    with suppress(ValueError, UnicodeDecodeError):
        return bytes.fromhex(body.decode("ascii").strip())
    return body


@lru_cache(maxsize=8)  # a megabyte of roots each
def _context(ca_files: tuple[tuple[Path, Stamp], ...]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    for file, _ in ca_files:
        context.load_verify_locations(file)
    return context


def _client(host: str, context: ssl.SSLContext) -> httpx.AsyncClient:
    backend = _CheckedBackend()
    proxy = proxy_for(host)
    if proxy is None:
        return client(httpcore.AsyncConnectionPool(ssl_context=context, network_backend=backend))
    return client(
        httpcore.AsyncHTTPProxy(
            proxy.url,
            proxy_auth=proxy.credentials,
            ssl_context=context,
            network_backend=backend,
        )
    )


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that `network.resolve` allows, and to nothing else."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await resolve(host, port)
        last: OSError | None = None
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return _Stream(*await asyncio.open_connection(address, port))
            except OSError as error:
                last = error
        raise httpcore.ConnectError(f"cannot connect to {host}:{port}") from last


class _Stream(httpcore.AsyncNetworkStream):
    """A connection to a PCCS or a proxy, closed at once and without waiting wherever a fetch ends.
    httpcore's own stays open if that is in its handshake, or while another is closed.

    What takes how long is for the fetch to limit.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await read(self._reader.read, max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error  # it may have answered all the same

    async def aclose(self) -> None:
        self._writer.transport.abort()
        # What came and is not read any more would wait to be collected, with what ended the fetch.
        self._reader.feed_eof()
        with suppress(OSError):
            await self._reader.read()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's signature)
    ) -> httpcore.AsyncNetworkStream:
        try:
            await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except BaseException:
            await self.aclose()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._reader.at_eof() if info == "is_readable" else None
