"""A client that is asked for its settings: nobody is contacted before, or against, its word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ratls_ls.lsp import methods
from ratls_ls.server.asking import Asking
from ratls_ls.simulator import SimulatedProvider, serve

from .editor import trust
from .raw import RawServer, raw_server

ASKED = "workspace/configuration"
CHANGED = methods.ATTESTATION_STATUS_CHANGED
MANUAL = {"attestation": {"trigger": "manual"}}
# As the program is, but for its patience.
IMPATIENT = "from ratls_ls.server import asking; asking.ANSWER_SECONDS = 1\n"
PROGRAM = "from ratls_ls.__main__ import main; main()"


@dataclass
class Client:
    """One that can be asked. It has the user-level config open, which names `provider`."""

    server: RawServer
    provider: SimulatedProvider
    numbers: int = 0

    def ask(self, method: str = methods.ATTESTED_REQUEST, **params: Any) -> str:
        """The id of a request that was sent."""
        self.numbers += 1
        identifier = f"r{self.numbers}"
        sent = params or {"provider": "tee", "path": "/models"}
        self.server.send({"id": identifier, "method": method, "params": sent})
        return identifier

    async def outcome(self, identifier: str) -> int:
        """HTTP status or error code."""
        answer = await self.server.answer(identifier)
        found = answer["error"]["code"] if "error" in answer else answer["result"]["status"]
        assert isinstance(found, int)
        return found

    async def tries(self) -> int:
        """The outcome of a request that is sent now."""
        return await self.outcome(self.ask())

    async def state(self) -> str:
        answer = await self.server.answer(self.ask(methods.ATTESTATION_STATUS, provider="tee"))
        state: str = answer["result"]["providers"][0]["state"]
        return state

    def open(self, config: Path) -> None:
        text = config.read_text("utf-8")
        item = {"uri": config.as_uri(), "languageId": "toml", "version": 1, "text": text}
        self.server.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})

    def told(self, provider: str) -> list[str]:
        """The states of `provider` that the client was told of."""
        news = [each["params"] for each in self.server.seen if each.get("method") == CHANGED]
        return [status["state"] for status in news if status["provider"] == provider]

    def push(self, settings: object) -> None:
        params = {"settings": settings}
        self.server.send({"method": "workspace/didChangeConfiguration", "params": params})

    async def question(self) -> Any:
        return await self.server.question(ASKED)

    def answer(self, question: Any, section: object) -> None:
        self.server.send({"id": question, "result": [section]})

    def refuse(self, question: Any) -> None:
        error = {"code": -32603, "message": "busy"}
        self.server.send({"id": question, "error": error})

    async def complaint(self) -> str:
        while (message := await self.server.receive()).get("method") != "window/showMessage":
            pass
        text: str = message["params"]["message"]
        return text


@asynccontextmanager
async def client(
    home: Path,
    settings: dict[str, Any] | None = None,
    *,
    options: Sequence[str] = (),
    impatient: bool = False,
    **workspace: Any,
) -> AsyncIterator[Client]:
    config = home / ".codex" / "config.toml"
    async with serve() as provider:
        config.write_text(provider.config_toml("tee"), "utf-8")
        async with raw_server(
            home,
            [*options, *trust(provider, home)],
            program=("-c", (IMPATIENT if impatient else "") + PROGRAM),
            settings=settings,
            capabilities={"workspace": {"configuration": True, **workspace}},
        ) as server:
            made = Client(server, provider)
            made.open(config)
            yield made


@pytest.mark.parametrize("settings", [None, MANUAL], ids=["first", "later"])
@pytest.mark.parametrize("trusted", [True, False])
async def test_everything_waits_for_an_answer(
    home: Path, settings: dict[str, Any] | None, trusted: bool
) -> None:
    async with client(home, settings) as asked:
        if settings is not None:
            assert await asked.state() == "unchecked"
            asked.push(None)
        request = asked.ask()
        status = asked.ask(methods.ATTESTATION_STATUS, provider="tee", refresh=True)
        attest = {"command": "ratls.attest", "arguments": [None, "tee"]}
        command = asked.ask("workspace/executeCommand", **attest)
        question = await asked.question()
        await asked.server.answer(asked.ask("textDocument/hover"))  # refused, so at once
        assert not asked.provider.record.connections
        asked.answer(question, {"trusted": trusted})
        assert await asked.outcome(request) == (200 if trusted else methods.UNTRUSTED)
        told = {message.get("id"): message for message in asked.server.seen}
        if status not in told:
            told[status] = await asked.server.answer(status)
        (found,) = told[status]["result"]["providers"]
        assert found["state"] == ("affirmed" if trusted else "untrusted")
        if command not in told:
            told[command] = await asked.server.answer(command)
        assert ("error" not in told[command]) is trusted
        assert bool(asked.provider.record.connections) is trusted


@pytest.mark.parametrize("trusted", [True, False])
async def test_nobody_is_contacted_while_the_client_is_asked_again(
    home: Path, trusted: bool
) -> None:
    path = home / "repository" / ".codex" / "config.toml"
    path.parent.mkdir(parents=True)
    async with client(home, {"trusted": True}) as asked, serve() as other:
        path.write_text(other.config_toml("new"), "utf-8")
        asked.push(None)
        question = await asked.question()
        asked.open(path)
        for _ in range(2):
            await asked.server.answer(asked.ask("textDocument/hover"))  # refused, so at once
        assert not asked.told("new")
        asked.answer(question, {"trusted": trusted})
        assert await asked.tries() == (200 if trusted else methods.UNTRUSTED)
        if trusted:
            await other.record.wait_for(lambda record: record.connections)
        else:
            assert not other.record.connections
            assert "checking" not in asked.told("new")


async def test_whoever_waits_does_so_until_no_question_is_open() -> None:
    questions: list[Future[Any]] = []

    def ask() -> Future[Any]:
        questions.append(Future())
        return questions[-1]

    asking = Asking(ask, lambda _: None, lambda: None)
    asking.begin()
    waiting = asyncio.ensure_future(asking.known())
    await asyncio.sleep(0)
    questions[0].set_result([None])
    asking.begin()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    questions[1].set_result([None])
    await waiting


@pytest.mark.parametrize("result", [[None], []], ids=repr)
async def test_a_client_without_settings_has_the_default_ones(home: Path, result: object) -> None:
    async with client(home) as asked:
        asked.server.send({"id": await asked.question(), "result": result})
        assert await asked.tries() == 200
        # Nor is it asked for what it did not say that it can.
        told = [message.get("method") for message in asked.server.seen]
        assert "client/registerCapability" not in told


async def test_no_answer_is_no_trust_until_it_comes(home: Path) -> None:
    async with client(home, impatient=True) as asked:
        request = asked.ask()
        question = await asked.question()
        assert "settings" in await asked.complaint()
        assert await asked.outcome(request) == methods.UNTRUSTED
        assert not asked.provider.record.connections
        asked.answer(question, {"trusted": True})
        assert await asked.tries() == 200


async def test_a_refused_question_is_no_trust_until_another_is_answered(home: Path) -> None:
    async with client(home, MANUAL) as asked:
        assert await asked.tries() == 200
        asked.push(None)
        asked.refuse(await asked.question())
        assert "settings" in await asked.complaint()
        assert await asked.tries() == methods.UNTRUSTED
        asked.push(None)
        asked.answer(await asked.question(), None)
        assert await asked.tries() == 200


async def test_the_newest_question_counts(home: Path) -> None:
    async with client(home, MANUAL) as asked:
        asked.push(None)
        request = asked.ask()
        asked.push(None)
        older, newer = await asked.question(), await asked.question()
        asked.answer(newer, {"trusted": False})
        assert await asked.outcome(request) == methods.UNTRUSTED
        asked.answer(older, {"trusted": True})
        assert await asked.tries() == methods.UNTRUSTED
        asked.push(None)
        older = await asked.question()
        asked.push(None)
        newer = await asked.question()
        asked.refuse(older)
        asked.answer(newer, {"trusted": True})
        assert await asked.tries() == 200
        told = [message.get("method") for message in asked.server.seen]
        assert "window/showMessage" not in told


async def test_what_is_said_unasked_counts_more_than_what_was_asked_before(home: Path) -> None:
    async with client(home) as asked:
        request = asked.ask()
        question = await asked.question()
        asked.push({"ratls": {"trusted": False}})
        assert await asked.outcome(request) == methods.UNTRUSTED
        asked.answer(question, {"trusted": True})
        assert await asked.tries() == methods.UNTRUSTED
        assert not asked.provider.record.connections


SILENT = {"ratls": {"attestation": {"refreshMinutes": 10}}}  # of trust
HELD = ("--only-stricter-settings",)


@pytest.mark.parametrize("options", [(), HELD], ids=["", "held"])
@pytest.mark.parametrize("trusted", [True, False])
async def test_what_says_nothing_of_trust_leaves_the_question_open(
    home: Path, trusted: bool, options: Sequence[str]
) -> None:
    async with client(home, options=options) as asked:
        request = asked.ask()
        question = await asked.question()
        asked.push(SILENT)
        await asked.server.answer(asked.ask("textDocument/hover"))  # refused, so at once
        assert not asked.provider.record.connections
        asked.answer(question, {"trusted": trusted})
        assert await asked.outcome(request) == (200 if trusted else methods.UNTRUSTED)
        assert bool(asked.provider.record.connections) is trusted


@pytest.mark.parametrize("options", [(), HELD], ids=["", "held"])
async def test_trust_is_taken_away_whatever_is_said_meanwhile_of_other_things(
    home: Path, options: Sequence[str]
) -> None:
    async with client(home, {"trusted": True}, options=options) as asked:
        asked.push(None)
        question = await asked.question()
        asked.push(SILENT)
        asked.answer(question, {"trusted": False})
        assert await asked.tries() == methods.UNTRUSTED


@pytest.mark.parametrize("options", [(), HELD], ids=["", "held"])
@pytest.mark.parametrize("first", [None, {"trusted": True}], ids=["first", "later"])
async def test_a_refused_question_is_no_trust_whatever_is_said_of_other_things(
    home: Path, first: dict[str, Any] | None, options: Sequence[str]
) -> None:
    async with client(home, first, options=options) as asked:
        if first is not None:
            asked.push(None)
        asked.refuse(await asked.question())
        asked.push(SILENT)
        assert await asked.tries() == methods.UNTRUSTED
        assert await asked.state() == "untrusted"
        asked.push(None)
        asked.answer(await asked.question(), None)
        assert await asked.tries() == 200


async def test_silence_does_not_undo_what_was_meant_for_trust(home: Path) -> None:
    """A misspelt setting counts as the strictest value."""
    async with client(home, {"trustd": False}) as asked:
        asked.answer(await asked.question(), None)
        assert await asked.tries() == methods.UNTRUSTED


async def test_silence_leaves_the_settings_as_they_were(home: Path) -> None:
    async with client(home, MANUAL) as asked:
        asked.push(None)
        asked.answer(await asked.question(), None)
        assert await asked.state() == "unchecked"
        assert not asked.provider.record.connections


async def test_patience_ends_with_the_answer_that_counts(home: Path) -> None:
    async with client(home, MANUAL, impatient=True) as asked:
        asked.push(None)
        asked.push(None)
        await asked.question()
        asked.answer(await asked.question(), {"trusted": True})
        longer = {"provider": "tee", "path": "/test/held-events", "timeoutMs": 1500}
        assert await asked.outcome(asked.ask(**longer)) == methods.BROKEN_RESPONSE
        assert await asked.tries() == 200
        told = [message.get("method") for message in asked.server.seen]
        assert "window/showMessage" not in told


@pytest.mark.parametrize("result", [{"trusted": True}, None, 5, "trusted", [5], [[1]]], ids=repr)
async def test_an_answer_that_does_not_fit_is_no_trust(home: Path, result: object) -> None:
    async with client(home, impatient=True) as asked:
        asked.server.send({"id": await asked.question(), "result": result})
        assert await asked.complaint()
        assert await asked.tries() == methods.UNTRUSTED
        asked.push({"ratls": {"trusted": True}})
        assert await asked.tries() == 200


async def test_a_client_that_refuses_to_tell_of_changes_is_asked_all_the_same(home: Path) -> None:
    dynamic = {"dynamicRegistration": True}
    async with client(home, didChangeConfiguration=dynamic) as asked:
        registration = await asked.server.question("client/registerCapability")
        asked.refuse(registration)
        asked.answer(await asked.question(), None)
        assert await asked.tries() == 200


async def test_a_client_that_cannot_be_asked_is_not(home: Path) -> None:
    sent = {"ratls": MANUAL, "python": {"path": "x"}}
    async with client(home, sent, configuration=False) as asked:
        asked.push(None)
        assert await asked.tries() == 200
        told = [message.get("method") for message in asked.server.seen]
        assert "window/showMessage" not in told


async def test_a_client_that_can_neither_be_asked_nor_says_anything(home: Path) -> None:
    async with client(home, configuration=False) as asked:
        assert await asked.tries() == 200


async def test_who_waits_for_an_answer_is_answered_at_the_end(home: Path) -> None:
    async with client(home) as asked:
        request = asked.ask()
        await asked.question()
        asked.server.send({"id": "end", "method": "shutdown"})
        await asked.server.answer("end")
        assert await asked.outcome(request) == methods.REQUEST_CANCELLED


LAXER = {
    "attestation": {"trigger": "onOpenAndSave"},
    "tls": {"caFile": "/evil.pem"},
    "unsafeRootCa": ["/evil.pem"],
    "codexHome": "/evil",
}


@pytest.mark.parametrize("first", [None, LAXER], ids=["asked", "first"])
async def test_settings_of_somebody_else_only_make_it_stricter(
    home: Path, first: dict[str, Any] | None
) -> None:
    options = ["--only-stricter-settings"]
    async with client(home, first, options=options) as asked:
        if first is None:
            asked.answer(await asked.question(), LAXER)
        assert await asked.complaint() == (
            "ratls-ls: setting ratls.attestation.trigger, ratls.tls.caFile, ratls.unsafeRootCa, "
            "ratls.codexHome: ignored: --only-stricter-settings takes only what is stricter"
        )
        for section in (LAXER, {}, {"trusted": True}):
            asked.push({"ratls": section})
            asked.push(None)
            asked.answer(await asked.question(), section)
            assert await asked.state() == "unchecked"
        assert not asked.provider.record.connections
        assert await asked.tries() == 200  # of the user's own config, over the user's own roots
        asked.push({"ratls": {"trusted": False}})
        asked.push({"ratls": {"trusted": True}})
        assert await asked.tries() == methods.UNTRUSTED
