"""A session in this process, with a simulated provider, and what it showed and told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ratls_ls import settings as settings_module
from ratls_ls.language.diagnose import Diagnostic, as_diagnostic
from ratls_ls.lsp.methods import MethodError
from ratls_ls.lsp.params import AttestationStatusParams, AttestedRequestParams
from ratls_ls.monitor import at_once
from ratls_ls.session import OpenFile, Session
from ratls_ls.settings import Options
from ratls_ls.simulator import FAULTS, Fault, OpenAi, SimulatedProvider, serve
from ratls_ls.simulator.http import Request, Response, Wire
from ratls_ls.simulator.scenario import Scenario

PATIENCE_SECONDS = 15.0


@dataclass
class World:
    """`shown`: the diagnostics of each document by now; `told`: the statuses in order."""

    session: Session = field(init=False)
    home: Path
    shown: dict[str, list[Diagnostic]] = field(default_factory=dict)
    publications: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def config(self) -> Path:
        """The user-level config."""
        return self.home / ".codex" / "config.toml"

    def write(self, text: str) -> str:
        """Write the user-level config. Returns its URI."""
        self.config.parent.mkdir(exist_ok=True)
        self.config.write_text(text, "utf-8")
        return self.config.as_uri()

    def open(self, text: str) -> str:
        """Write the user-level config and open it. Returns its URI."""
        uri = self.write(text)
        self.session.open(uri, text, 1)
        return uri

    def save(self, uri: str, text: str) -> None:
        """As an editor does: the text changes, then the file, then the save is told."""
        self.session.change(uri, text, 2)
        self.write(text)
        self.session.save(uri)

    async def until(self, found: Callable[[], Any]) -> Any:
        """What `found` gives as soon as that is true, looked at whenever something comes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (value := found()):
                await self._news.wait()
            return value

    async def state(self, provider: str, state: str, *, after: int = 0) -> dict[str, Any]:
        """The status of `provider` told with this state, after so many tellings."""

        def found() -> Any:
            return next(
                (
                    status
                    for status in self.told[after:]
                    if (status["provider"], status["state"]) == (provider, state)
                ),
                None,
            )

        status: dict[str, Any] = await self.until(found)
        return status

    def diagnostic(self, uri: str, code: str) -> Diagnostic | None:
        return next((item for item in self.shown.get(uri, []) if item.code == code), None)

    async def shows(self, uri: str, code: str) -> Diagnostic:
        """The diagnostic with this code, as soon as it is shown."""
        found: Diagnostic = await self.until(lambda: self.diagnostic(uri, code))
        return found

    async def request(self, provider: str = "tee", path: str = "/models", **params: Any) -> Any:
        """The result of an `attestedRequest`. `parts`: a list to stream into."""
        parts: list[Any] | None = params.pop("parts", None)
        shape = {"provider": provider, "path": path, **params}
        if parts is not None:
            shape["partialResultToken"] = "parts"

        async def emit(part: dict[str, Any]) -> None:
            assert parts is not None
            parts.append(part)
            self.news()

        parsed = AttestedRequestParams.parse(shape)
        answer = await self.session.attested_request(parsed, emit)
        return json.loads(b"".join(answer.json()))

    async def held_request(self) -> asyncio.Future[Any]:
        """A streamed request under way, whose answer goes on when `gate` of the provider is set."""
        parts: list[Any] = []
        running = asyncio.ensure_future(self.request(path="/test/held-events", parts=parts))
        await self.until(lambda: len(parts) == 2)
        return running

    async def statuses(self, **params: Any) -> list[dict[str, Any]]:
        parsed = AttestationStatusParams.parse(params)
        found = await self.session.attestation_status(parsed)
        shapes: list[dict[str, Any]] = json.loads(json.dumps(found))["providers"]
        return shapes

    def news(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def play(
    provider: SimulatedProvider,
    monkeypatch: pytest.MonkeyPatch,
    *changes: Callable[[Scenario], None],
) -> None:
    """From the next request on `provider` is honest but for these changes."""
    for index, change in enumerate(changes):
        monkeypatch.setitem(FAULTS, f"test-{index}", Fault(f"test-{index}", "…", change, ()))
    provider.set_faults([f"test-{index}" for index in range(len(changes))])


def unanswered(response: Response) -> Response:
    """The response that never comes."""
    response.deliver = Wire.hang
    return response


def held_until(released: asyncio.Event) -> Callable[[Response], Response]:
    """Makes a response one that comes only then."""

    async def deliver(wire: Wire) -> None:
        await released.wait()
        await wire.send(await wire.whole())

    def held(response: Response) -> Response:
        response.deliver = deliver
        return response

    return held


def hanging(scenario: Scenario) -> None:
    """The quote request is never answered."""
    scenario.quote.append(unanswered)


def out_of_date(scenario: Scenario) -> None:
    """Intel says that the platform's TCB is out of date."""
    scenario.tcb.platform = "OutOfDate"


def replaying(scenario: Scenario) -> None:
    """Quotes are made for another connection's nonce."""
    scenario.report_data = lambda _: bytes(64)


@dataclass(frozen=True)
class Api(OpenAi):
    """Answers `answer()` to everything, whatever the path."""

    answer: Callable[[], Response] = Response

    async def respond(self, request: Request) -> Response | None:
        return self.answer()


async def refused(request: Any) -> MethodError:
    """The error that a request is answered with."""
    with pytest.raises(MethodError) as caught:
        await request
    return caught.value


@asynccontextmanager
async def a_world(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    trusting: Iterable[SimulatedProvider] = (),
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    kind: Callable[[dict[str, str]], Mapping[str, str]] = dict,
    settled: Callable[[], Awaitable[object]] = at_once,
) -> AsyncIterator[World]:
    """A session of a user whose files are all in `home`, and who trusts these providers. `kind`: of
    the environment."""
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    files = [provider.write_files(home) for provider in trusting]
    world = World(home)

    def publish(entry: OpenFile, live: list[Diagnostic] | None) -> None:
        shown = [] if live is None else [*map(as_diagnostic, entry.problems), *live]
        world.shown[entry.uri] = shown
        world.publications += 1
        world.news()

    def changed(status: dict[str, Any]) -> None:
        world.told.append(status)
        world.news()

    world.session = Session(
        settings_module.parse(dict(settings or {})),
        Options(tuple(file.ca_file for file in files), tuple(file.root_file for file in files)),
        publish=publish,
        changed=changed,
        complain=world.complaints.append,
        environment=kind({"CODEX_HOME": str(home / ".codex"), **(environment or {})}),
        settled=settled,
    )
    try:
        yield world
    finally:
        await world.session.aclose()


async def meanwhile(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until another user's provider was attested: what began before has connected by then."""
    elsewhere = home / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    async with serve() as other, a_world(elsewhere, monkeypatch, trusting=[other]) as world:
        world.open(other.config_toml("other"))
        await world.state("other", "affirmed")
