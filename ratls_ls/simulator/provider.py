"""The simulated provider: a TLS server, its PCCS, and, for relays, the genuine server behind it.

Invariant: it listens on loopback only, in the caller's event loop, and leaving `serve` leaves
nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import tomlkit
from OpenSSL import SSL

from . import attester, pccs, relay, samples
from .collateral import TcbOptions
from .event_log import COMPOSE_HASH, OS_IMAGE_HASH
from .faults import FAULTS
from .http import EndedError, Exchange, Request, Response, Stream
from .listener import Accepted, Listener, PlainStream
from .openai import OpenAi, error
from .pki import Pki, shared_pki, web_leaf
from .quote import Body, QuoteOptions
from .record import QUOTE_PATH, Record, RecordedConnection
from .scenario import Generation, Scenario, Session, edited
from .tls import ServerStream, TlsOptions, accept_tls


class Files(NamedTuple):
    """`ca_file`: the CA for TLS; `root_file`: the DCAP root. Both PEM."""

    ca_file: Path
    root_file: Path


@dataclass(frozen=True, slots=True)
class Options:
    """What the honest server is. `quote_version` 4 or 5 (`body` other than TD10 needs 5);
    `log_version` and `empty_digests` choose dstack's event log format; `tcb_status` and
    `advisory_ids` are Intel's word on the platform."""

    generation: Generation = "v1"
    quote_version: int = 4
    body: Body = Body.TD10
    log_version: int = 1
    empty_digests: bool = False
    tcb_status: str = "UpToDate"
    advisory_ids: Sequence[str] = ()
    pki: Pki = field(default_factory=shared_pki)


class SimulatedProvider:
    """Made by `serve`. `record` tells what it received; `gate` lets held answers go."""

    def __init__(
        self, options: Options, api: OpenAi, relay_to: SimulatedProvider | None = None
    ) -> None:
        self.record = Record()
        self.gate = asyncio.Event()
        self._options = options
        self._api = api
        self._relay_to = relay_to
        self._identity = web_leaf(options.pki.web)
        self._scenario = self._honest()
        self._tls = Listener(self._serve_tls)
        self._pccs = Listener(self._serve_pccs)
        self._genuine: SimulatedProvider | None = None

    @property
    def port(self) -> int:
        return self._tls.port

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.port}/v1"

    @property
    def pccs_url(self) -> str:
        return f"http://127.0.0.1:{self._pccs.port}{pccs.BASE_PATH}"

    @property
    def web_ca_pem(self) -> bytes:
        return self._options.pki.web.pem

    @property
    def root_ca_pem(self) -> bytes:
        return self._options.pki.dcap.root.pem

    def write_files(self, directory: Path) -> Files:
        """The two roots as files in `directory`."""
        files = Files(directory / "web-ca.pem", directory / "dcap-root.pem")
        files.ca_file.write_bytes(self.web_ca_pem)
        files.root_file.write_bytes(self.root_ca_pem)
        return files

    @property
    def measurements(self) -> dict[str, str]:
        """The registers and hashes of the honest server, in lower-case hex."""
        scenario = self._honest()
        log = attester.measured_log(scenario, self._identity.der)
        report = attester.td_report(scenario, log)
        registers = {f"rtmr{index}": value.hex() for index, value in enumerate(report.rtmrs)}
        return {
            "mrtd": report.mrtd.hex(),
            **registers,
            "mrseam": report.mrseam.hex(),
            "composeHash": COMPOSE_HASH.hex(),
            "osImageHash": OS_IMAGE_HASH.hex(),
            "appId": COMPOSE_HASH[:20].hex(),
        }

    def config_toml(
        self,
        provider_id: str = "simulated",
        *,
        pinned: bool = True,
        env_key: str | None = None,
        **policy: object,
    ) -> str:
        """A config that fits this provider. `pinned`: with its measurements as pins. `env_key`:
        the variable with the API key. `policy`: further keys of `ratls_policy`, or others in place
        of those."""
        chosen: dict[str, object] = {
            "tee_type": "Tdx",
            "allowed_tdx_status": ["UpToDate"],
            "pccs_url": self.pccs_url,
        }
        if pinned:
            chosen |= self._pins()
        table: dict[str, object] = {
            "name": "Simulated TEE provider",
            "base_url": self.base_url,
            "wire_api": "responses",
            "use_ratls": True,
        }
        if env_key is not None:
            table["env_key"] = env_key
        table["ratls_policy"] = chosen | policy
        return tomlkit.dumps({"model_providers": {provider_id: table}})

    def set_faults(self, faults: Sequence[str] = ()) -> None:
        """Play these faults from the next request on; those of the handshake from the next
        connection on. Raises KeyError for a name that is in no list."""
        scenario = self._honest()
        for name in faults:
            FAULTS[name].play(scenario)
        self._scenario = scenario

    async def close_connections(self) -> None:
        """Close every connection, at once."""
        await self._tls.drop()

    async def stop_pccs(self) -> None:
        """From now on nothing answers at `pccs_url`."""
        await self._pccs.stop()

    async def start_pccs(self) -> None:
        """It is back where it was. Raises OSError."""
        await self._pccs.start(self._pccs.port)

    async def start(self, port: int = 0) -> None:
        """Listen. Raises OSError."""
        await self._tls.start(port)
        await self._pccs.start()

    async def stop(self) -> None:
        """Close everything."""
        if self._genuine is not None:
            await self._genuine.stop()
        await self._pccs.stop()
        await self._tls.stop()

    def _honest(self) -> Scenario:
        options = self._options
        return Scenario(
            pki=options.pki,
            dcap=options.pki.dcap,
            tls=TlsOptions(self._identity),
            generation=options.generation,
            log_version=options.log_version,
            empty_digests=options.empty_digests,
            tcb=TcbOptions(options.tcb_status, advisory_ids=list(options.advisory_ids)),
            quote_options=QuoteOptions(options.quote_version, options.body),
        )

    def _pins(self) -> dict[str, object]:
        values = self.measurements
        return {
            "min_tdx_tcb": {"mrseam": values["mrseam"], "mrtmrs": values["rtmr0"]},
            "expected_bootchain": {
                name: values[name] for name in ("mrtd", "rtmr0", "rtmr1", "rtmr2")
            },
            "os_image_hash": values["osImageHash"],
            "compose_hash": values["composeHash"],
        }

    async def _serve_tls(self, channel: Accepted) -> None:
        connection = RecordedConnection()
        self.record.connections.append(connection)
        self.record.changed()
        scenario = self._scenario
        try:
            if scenario.accept is not None:
                await scenario.accept(channel)
                return
            # A failed handshake is the client's verdict on this server, no error of the server.
            with suppress(SSL.Error):
                stream = await accept_tls(channel, scenario.tls)
                connection.handshaken = True
                leaf = scenario.tls.identity.der
                await self._exchange(stream, connection, partial(self._respond, stream, leaf))
        finally:
            connection.closed = True
            self.record.changed()

    async def _serve_pccs(self, channel: Accepted) -> None:
        if self._scenario.pccs_up:
            await self._exchange(PlainStream(channel), RecordedConnection(), self._respond_pccs)

    async def _exchange(
        self,
        stream: Stream,
        connection: RecordedConnection,
        respond: Callable[[Request], Awaitable[Response]],
    ) -> None:
        with suppress(EndedError):
            await Exchange(stream, self.record, connection).serve(respond)

    async def _respond(self, stream: ServerStream, leaf: bytes, request: Request) -> Response:
        if (request.method, request.target) == ("POST", QUOTE_PATH):
            return await self._respond_quote(stream, leaf, request)
        response = await self._api.respond(request) or samples.respond(request, self.gate)
        response = response or error(404, "no such path", "invalid_request_error")
        return edited(response, self._scenario.api)

    async def _respond_quote(self, stream: ServerStream, leaf: bytes, request: Request) -> Response:
        scenario = self._scenario
        nonce = attester.nonce_of(scenario, request)
        if nonce is None:
            return attester.refuse(scenario)
        if scenario.relay:
            genuine = await self._genuine_port(scenario.generation)
            return attester.respond(scenario, await relay.fetch_quote(genuine, request.body))
        return attester.answer_quote(scenario, Session(nonce, stream.export(), leaf))

    async def _respond_pccs(self, request: Request) -> Response:
        self.record.pccs_targets.append(request.target)
        self.record.changed()
        return pccs.respond(self._scenario, request)

    async def _genuine_port(self, generation: Generation) -> int:
        """Where a relay fetches its quotes; a sibling with this one's certificate by default."""
        if self._relay_to is not None:
            return self._relay_to.port
        if self._genuine is None:
            self._genuine = SimulatedProvider(self._options, self._api)
            self._genuine._identity = self._identity
            await self._genuine.start()
        self._genuine._scenario = self._genuine._honest()
        self._genuine._scenario.generation = generation
        return self._genuine.port


@asynccontextmanager
async def serve(
    port: int = 0,
    *,
    faults: Sequence[str] = (),
    generation: Generation = "v1",
    quote_version: int = 4,
    body: Body = Body.TD10,
    log_version: int = 1,
    empty_digests: bool = False,
    tcb_status: str = "UpToDate",
    advisory_ids: Sequence[str] = (),
    pki: Pki | None = None,
    relay_to: SimulatedProvider | None = None,
    api: OpenAi | None = None,
) -> AsyncIterator[SimulatedProvider]:
    """A running provider. `Options` tells what the arguments mean; `relay_to`: the genuine server
    that the fault `relay` fetches its quotes from. Raises KeyError for an unknown fault."""
    options = Options(
        generation,
        quote_version,
        body,
        log_version,
        empty_digests,
        tcb_status,
        advisory_ids,
        pki or shared_pki(),
    )
    provider = SimulatedProvider(options, api or OpenAi(), relay_to)
    provider.set_faults(faults)
    try:
        await provider.start(port)
        yield provider
    finally:
        await provider.stop()
