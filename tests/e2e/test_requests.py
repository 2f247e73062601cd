"""`attestedRequest` as an editor extension sends it, to the real server over stdio."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pygls.exceptions import JsonRpcException

from ratls_ls.simulator import serve
from ratls_ls.simulator.http import Response
from tests.session.world import Api, play, replaying

from .editor import PATIENCE_SECONDS, editor, refused, trust
from .raw import raw_server

PROMPT = {"model": "simulated", "input": "a secret prompt", "stream": True}


async def test_errors_have_their_codes_and_data(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve() as provider:
        config = home / ".codex" / "config.toml"
        config.write_text(
            provider.config_toml("tee") + "\n" + provider.config_toml("keyed", env_key="NO_KEY"),
            "utf-8",
        )
        async with editor(home, arguments=trust(provider, home)) as ls:

            async def error(**params: Any) -> JsonRpcException:
                return await refused(ls.request("attestedRequest", params))

            wrong = await error(provider="tee")
            assert (wrong.code, wrong.data) == (
                -32602,
                {"where": "path", "why": "is required"},
            )
            assert (await refused(ls.request("attestedRequest", None))).code == -32602
            unset = await error(provider="keyed", path="/models")
            assert (unset.code, unset.data["where"]) == (-32602, "model_providers.keyed.env_key")
            nobody = await error(provider="nobody", path="/models")
            assert (nobody.code, nobody.data) == (-32011, [])
            assert not provider.record.connections

            play(provider, monkeypatch, replaying)
            rejected = await error(provider="tee", path="/responses", body=PROMPT)
            assert (rejected.code, rejected.data["verdict"]) == (-32010, "rejected")
            assert provider.record.api_bytes == 0
            provider.set_faults()
            cut = await error(provider="tee", path="/test/cut")
            assert cut.code == -32015
            assert cut.data["received"] > 0
            late = await error(provider="tee", path="/test/held-events", timeoutMs=300)
            assert (late.code, late.data.keys()) == (-32015, {"received"})
            # After all of that the server serves on.
            assert (await ls.request("attestedRequest", {"provider": "tee", "path": "/models"}))[
                "body"
            ]["object"] == "list"


async def test_cancelled_requests_are_answered_as_such(home: Path) -> None:
    async with serve() as provider:
        config = home / ".codex" / "config.toml"
        config.write_text(provider.config_toml("tee"), "utf-8")
        async with editor(home, arguments=trust(provider, home)) as ls:
            params = {"provider": "tee", "path": "/test/held-events", "partialResultToken": 7}
            identifier, running = ls.start_request("attestedRequest", params)
            await ls.until(lambda: len(ls.parts.get(7, [])) == 2)
            ls.cancel(identifier)
            ls.cancel(identifier)
            assert (await refused(running)).code == -32800
            provider.gate.set()
            await provider.record.wait_for(lambda record: record.connections[0].closed)

            # Before it starts: both are in the server's hands before it looks at either.
            prompt = {"provider": "tee", "path": "/responses", "body": PROMPT}
            identifier, running = ls.start_request("attestedRequest", prompt)
            ls.cancel(identifier)
            assert (await refused(running)).code == -32800
            # After its end, and of what never was.
            identifier, running = ls.start_request("attestedRequest", {**prompt, "path": "/models"})
            await running
            ls.cancel(identifier)
            ls.cancel("no such id")
            assert (await ls.request("attestedRequest", prompt))["status"] == 200
            prompts = [request for request in provider.record.requests if b"secret" in request.body]
            assert len(prompts) == 2


async def test_a_client_that_does_not_read_is_waited_for(home: Path) -> None:
    """The server holds a stream of 64 MiB back, without growing, and goes on where it stopped."""
    event, count = 16 * 1024, 4096
    sent, begun, finished = 0, asyncio.Event(), asyncio.Event()

    async def events() -> AsyncIterator[bytes]:
        nonlocal sent
        for index in range(count):
            yield f"id: {index}\ndata: {'x' * event}\n\n".encode()
            sent += 1
            begun.set()
        finished.set()

    stream = [("Content-Type", "text/event-stream")]
    async with serve(api=Api(answer=lambda: Response(200, stream, events()))) as provider:
        (home / ".codex" / "config.toml").write_text(provider.config_toml("tee"), "utf-8")
        async with raw_server(home, trust(provider, home)) as server:
            params = {"provider": "tee", "path": "/events", "partialResultToken": "t"}
            server.send({"id": 2, "method": "attestedRequest", "params": params})
            await asyncio.wait_for(begun.wait(), PATIENCE_SECONDS)
            # Nothing is read: what the pipes and buffers on the way do not hold stays unsent.
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(finished.wait(), 1.0)
            assert sent < count / 4
            seen = 0
            while (message := await server.receive()).get("id") != 2:
                value = message["params"]["value"]
                if value["kind"] == "event":
                    assert (value["id"], len(value["data"])) == (str(seen), event)
                    seen += 1
            assert (seen, message["result"]["complete"]) == (count, True)
            assert server.peak_bytes < 160 * 1024 * 1024


async def test_shutdown_answers_what_runs_and_the_process_ends(home: Path) -> None:
    async with serve() as provider:
        (home / ".codex" / "config.toml").write_text(provider.config_toml("tee"), "utf-8")
        async with raw_server(home, trust(provider, home)) as server:
            for identifier in range(10, 20):
                path = "/test/held-events" if identifier % 2 else "/models"
                params = {"provider": "tee", "path": path}
                server.send({"id": identifier, "method": "attestedRequest", "params": params})
            await provider.record.wait_for(
                lambda record: sum(not request.is_quote for request in record.requests) == 10
            )
            server.send({"id": 99, "method": "shutdown"})
            answers = {}
            while 99 not in answers:
                message = await server.receive()
                answers[message["id"]] = message
            assert sorted(answers) == [*range(10, 20), 99]
            for identifier in range(11, 20, 2):
                assert answers[identifier]["error"]["code"] == -32800
            server.send({"method": "exit"})
            assert await server.process.wait() == 0


async def test_no_secret_is_in_any_log_or_error(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s3cret-canary"
    async with serve() as provider:
        (home / ".codex" / "config.toml").write_text(
            provider.config_toml("tee", env_key="KEY")
            + f'\n[model_providers.tee.http_headers]\nX-Secret = "{secret}"\n',
            "utf-8",
        )
        async with raw_server(home, trust(provider, home), {"KEY": secret}) as server:
            good = {
                "provider": "tee",
                "path": "/responses",
                "query": {"a": secret},
                "headers": {"X-Mine": secret},
                "body": {"input": secret},
            }
            wrong = [
                {**good, "body": None, "bodyBase64": secret},
                {**good, "path": f"/../{secret}"},
                {**good, "timeoutMs": secret},
                {**good, "query": {"a": [secret]}},
                {**good, "headers": {"X-Mine": f"{secret}\n"}},
                {**good, "uri": [secret]},
                {**good, "path": "/test/cut"},
                {**good, "path": "/test/held-events", "timeoutMs": 100},
            ]
            answers = []
            for identifier, params in enumerate([*wrong, good, good], start=10):
                if identifier == 19:
                    play(provider, monkeypatch, replaying)
                    await provider.close_connections()
                server.send({"id": identifier, "method": "attestedRequest", "params": params})
                answers.append(await server.receive())
            assert ["error" in answer for answer in answers] == [True] * 8 + [False, True]
            assert secret not in json.dumps(answers)
            server.send({"id": 99, "method": "shutdown"})
            await server.receive()
            server.send({"method": "exit"})
            _, log = await server.process.communicate()
            assert secret.encode() not in log
            # It was really on its way, and only to the attested server.
            sent = [request for request in provider.record.requests if not request.is_quote]
            assert [secret.encode() in request.body for request in sent] == [True] * 3


async def test_a_client_that_is_gone_ends_the_process(home: Path) -> None:
    async with serve() as provider:
        (home / ".codex" / "config.toml").write_text(provider.config_toml("tee"), "utf-8")
        async with raw_server(home, trust(provider, home)) as server:
            params = {"provider": "tee", "path": "/test/held-events", "partialResultToken": 1}
            server.send({"id": 1, "method": "attestedRequest", "params": params})
            await provider.record.wait_for(
                lambda record: any(not request.is_quote for request in record.requests)
            )
            server.stdin.close()
            assert await server.process.wait() == 1
