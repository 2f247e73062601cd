"""Nothing holds the server's event loop up, however much goes on."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import pytest

from ratls_ls.lsp import garbage
from ratls_ls.simulator import FAULTS, OpenAi, SimulatedProvider, serve
from ratls_ls.simulator.http import Response
from tests.session.world import Api

from .editor import PATIENCE_SECONDS, trust
from .raw import RawServer, raw_server

LIMIT_MS = 10.0
# On a machine whose caches and cores others use, too, the same work now and then takes longer.
# What truly holds the loop up does so again and again, or for much longer, and every time.
FEW = 3
FAR_TOO_LONG_MS = 3 * LIMIT_MS
ATTEMPTS = 3
STREAMS = 100
TOKENS = 60
PROVIDERS = 20
EDITS = 100
LINES = 2500
PROGRAM = Path(__file__).with_name("watched.py")
WEAKER = (
    *("SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"),
    *("OutOfDate", "TDRelaunchAdvised"),
)


LONG_BYTES = 8 * 1024 * 1024
WORDS = 'Wörter – слова 言葉 🙂 "\\\n'


def long_text() -> bytes:
    return (WORDS * (LONG_BYTES // len(WORDS.encode()))).encode()


def long_message() -> bytes:
    """As a model answers that has much to say."""
    text = long_text().decode()[: LONG_BYTES // 2]
    return json.dumps({"choices": [{"message": {"content": text}}]}, ensure_ascii=False).encode()


def many_numbers() -> bytes:
    """As embeddings are."""
    numbers = [math.sin(index) for index in range(1536)]
    return json.dumps([numbers] * (LONG_BYTES // (1536 * 22))).encode()


def many_objects() -> bytes:
    """As log probabilities are."""
    others = [{"token": WORDS, "logprob": -0.25, "bytes": [*WORDS.encode()]}]
    each = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": others}
    content = [each] * (LONG_BYTES // len(json.dumps(each)))
    return json.dumps({"choices": [{"logprobs": {"content": content}}]}).encode()


LONG_ANSWERS = [
    pytest.param("application/json", long_message, "body", id="message"),
    pytest.param("application/json", many_numbers, "body", id="numbers"),
    pytest.param("application/json", many_objects, "body", id="objects"),
    pytest.param("text/plain", long_text, "bodyText", id="text"),
]


async def test_streams_attestations_and_typing_leave_it_free(tmp_path: Path) -> None:
    async def work(server: RawServer, config: Path) -> None:
        for index in range(STREAMS):
            params: dict[str, Any] = {
                "provider": f"p{index % PROVIDERS}",
                "path": "/chat/completions",
                "body": {"stream": True},
                "partialResultToken": index,
            }
            server.send({"id": f"s{index}", "method": "attestedRequest", "params": params})
        params = {"uri": config.as_uri(), "refresh": True}
        server.send({"id": "attest", "method": "attestationStatus", "params": params})
        answers = await results(server, STREAMS + 1)
        states = [status["state"] for status in answers["attest"]["providers"]]
        assert states == ["affirmed"] * PROVIDERS

    api = OpenAi(reply="word " * TOKENS, token_seconds=0.05)
    await leaves_it_free(tmp_path, api, many_policies, work)


@pytest.mark.parametrize(("content_type", "answer", "member"), LONG_ANSWERS)
async def test_a_long_answer_in_one_message_leaves_it_free(
    tmp_path: Path, content_type: str, answer: Callable[[], bytes], member: str
) -> None:
    raw = answer()
    expected = json.loads(raw) if member == "body" else raw.decode()

    async def work(server: RawServer, _config: Path) -> None:
        for index in range(3):
            params = {"provider": "p0", "path": "/long"}
            server.send({"id": f"l{index}", "method": "attestedRequest", "params": params})
            result = (await results(server, 1))[f"l{index}"]
            assert result[member] == expected

    api = Api(answer=lambda: Response(200, [("Content-Type", content_type)], raw))
    await leaves_it_free(tmp_path, api, lambda provider: provider.config_toml("p0"), work)


async def test_a_long_event_leaves_it_free(tmp_path: Path) -> None:
    words = 'Wörter "\\' * (LONG_BYTES // 20)

    async def work(server: RawServer, _config: Path) -> None:
        params = {"provider": "p0", "path": "/long", "partialResultToken": 0}
        for index in range(3):
            server.send({"id": f"l{index}", "method": "attestedRequest", "params": params})
            assert (await server.answer(f"l{index}"))["result"]["complete"] is True
            parts = [
                it["params"]["value"] for it in server.seen if it.get("method") == "$/progress"
            ]
            assert [part.get("data") for part in parts[-3:]] == [None, words, "b"]
            server.seen.clear()

    events = f"data: {words}\n\ndata: b\n\n".encode()
    kind = [("Content-Type", "text/event-stream")]
    api = Api(answer=lambda: Response(200, kind, events))
    await leaves_it_free(tmp_path, api, lambda it: it.config_toml("p0"), work)


# As an honest server and PCCS answer, but in pieces that each mean next to nothing.
HOLDING = [
    *("pccs-in-crumbs", "pccs-without-an-end-to-its-head", "quote-in-crumbs"),
    *("comments-in-crumbs", "empty-events", "answer-in-tiny-records"),
    "answer-without-an-end-to-its-head",
]


@pytest.mark.parametrize("fault", HOLDING)
async def test_no_peer_holds_it_whatever_the_pieces_are(tmp_path: Path, fault: str) -> None:
    async def work(server: RawServer, _config: Path) -> None:
        params: dict[str, Any] = {"provider": "p0", "path": "/chat/completions"}
        params |= {"body": {"stream": True}, "partialResultToken": 0}
        for index in range(3):
            server.send({"id": f"r{index}", "method": "attestedRequest", "params": params})
            assert ("error" in await server.answer(f"r{index}")) is (
                FAULTS[fault].expects_code is not None
            )

    await leaves_it_free(tmp_path, OpenAi(), lambda it: it.config_toml("p0"), work, [fault])


async def test_a_long_document_leaves_it_free(tmp_path: Path) -> None:
    for attempt in range(ATTEMPTS):
        directory = tmp_path / str(attempt)
        directory.mkdir()
        slow = await what_takes_long_in_a_long_document(directory)
        if is_free(slow):
            return
    pytest.fail(told(slow))


async def test_garbage_is_collected_once_the_client_is_quiet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(garbage, "QUIET_SECONDS", 0.05)
    collected: asyncio.Queue[None] = asyncio.Queue()

    def note(phase: str, info: dict[str, int]) -> None:
        if (phase, info["generation"]) == ("stop", 2):
            collected.put_nowait(None)

    quiet = garbage.Quiet()
    gc.callbacks.append(note)
    gc.disable()  # for all other reasons
    try:
        for _ in range(100):
            quiet.ended()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await collected.get()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(collected.get(), 0.1)
    finally:
        gc.enable()
        gc.callbacks.remove(note)


async def leaves_it_free(
    directory: Path,
    api: OpenAi,
    config_of: Callable[[SimulatedProvider], str],
    work: Callable[[RawServer, Path], Awaitable[None]],
    faults: Sequence[str] = (),
) -> None:
    for attempt in range(ATTEMPTS):
        home = directory / str(attempt)
        (home / ".codex").mkdir(parents=True)
        async with serve(api=api, faults=faults) as provider:
            config = home / ".codex" / "config.toml"
            config.write_text(config_of(provider), "utf-8")
            slow = await what_takes_long(provider, config, home, work)
        if is_free(slow):
            return
    pytest.fail(told(slow))


async def what_takes_long(
    provider: SimulatedProvider,
    config: Path,
    home: Path,
    work: Callable[[RawServer, Path], Awaitable[None]],
) -> list[dict[str, Any]]:
    """Callbacks over the limit while `work` and typing go on."""
    noted = home / "noted"
    async with raw_server(home, trust(provider, home), program=(PROGRAM, noted)) as server:
        await open_first(server, config)
        os.kill(server.process.pid, signal.SIGUSR1)
        typing = asyncio.create_task(type_on(server, config))
        await work(server, config)
        await typing
    return slow_in(noted)


async def what_takes_long_in_a_long_document(directory: Path) -> list[dict[str, Any]]:
    """Callbacks over the limit while thousands of lines are opened and edited."""
    (directory / ".codex").mkdir()
    config, short = directory / ".codex" / "config.toml", directory / "config.toml"
    config.write_text(
        "\n".join(
            f'[model_providers.p{index}]\nname = "Simulated TEE provider"\nuse_ratls = true\n'
            f'base_url = "https://p{index}.invalid/v1"\nenv_key = "P{index}_KEY"\n'
            f'wire_api = "responses"\n\n[model_providers.p{index}.ratls_policy]\n'
            f'allowed_tdx_status = ["UpToDate", "SWHardeningNeeded"]\n'
            f'pccs_url = "https://pccs.invalid/tdx/certification/v4"\n'
            f'expected_bootchain = {{ mrtd = "{index + 1:096x}" }}\n'
            for index in range(LINES // 11)
        ),
        "utf-8",
    )
    short.write_text("[model_providers.p]\n", "utf-8")
    noted = directory / "noted"
    manual = {"attestation": {"trigger": "manual"}}
    async with raw_server(directory, [], program=(PROGRAM, noted), settings=manual) as server:
        await open_first(server, short)
        os.kill(server.process.pid, signal.SIGUSR1)
        await open_first(server, config)
        await type_on(server, config)
        server.send({"id": "last", "method": "textDocument/hover", "params": at(config)})
        await server.answer("last")
    return slow_in(noted)


def slow_in(noted: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in noted.read_text("utf-8").splitlines()]
    return [each for each in found if each["ms"] > LIMIT_MS]


def is_free(slow: list[dict[str, Any]]) -> bool:
    return len(slow) <= FEW and all(each["ms"] < FAR_TOO_LONG_MS for each in slow)


def told(slow: list[dict[str, Any]]) -> str:
    return "\n".join(f"{each['ms']} ms in {' '.join(each['where'])}" for each in slow[:5])


def many_policies(provider: SimulatedProvider) -> str:
    """Providers that differ in what they allow, so that each is attested on its own."""
    some = (each for size in range(len(WEAKER)) for each in combinations(WEAKER, size))
    return "\n".join(
        provider.config_toml(f"p{index}", pinned=False, allowed_tdx_status=["UpToDate", *weaker])
        for index, weaker in enumerate(islice(some, PROVIDERS))
    )


async def open_first(server: RawServer, config: Path) -> None:
    """What is read once, and the code that is loaded when it is first needed."""
    document = {"uri": config.as_uri()}
    item = {**document, "languageId": "toml", "version": 1, "text": config.read_text("utf-8")}
    server.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
    server.send({"id": "first", "method": "textDocument/completion", "params": at(config)})
    await server.answer("first")


def at(config: Path) -> dict[str, Any]:
    """Its first character."""
    return {"textDocument": {"uri": config.as_uri()}, "position": {"line": 0, "character": 0}}


async def type_on(server: RawServer, config: Path) -> None:
    """A letter comes and goes, at the pace of a person, with completion asked each time."""
    document = {"uri": config.as_uri()}
    line = config.read_text("utf-8").split("\n").index('name = "Simulated TEE provider"')
    start = {"line": line, "character": 8}
    for index in range(EDITS):
        end = {"line": line, "character": 8 + index % 2}
        change = {"range": {"start": start, "end": end}, "text": "" if index % 2 else "x"}
        params: dict[str, Any] = {
            "textDocument": {**document, "version": index + 2},
            "contentChanges": [change],
        }
        server.send({"method": "textDocument/didChange", "params": params})
        params = {"textDocument": document, "position": {"line": line + 1, "character": 0}}
        server.send({"id": index, "method": "textDocument/completion", "params": params})
        await asyncio.sleep(0.02)


async def results(server: RawServer, count: int) -> dict[str, Any]:
    """Of so many requests, those of the typist not counted."""
    found: dict[str, Any] = {}
    while len(found) < count:
        message = await server.receive()
        if isinstance(message.get("id"), str):
            found[message["id"]] = message["result"]
    return found
