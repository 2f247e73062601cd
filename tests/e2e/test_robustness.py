"""What no client should send, to the real server: it answers, goes on, and tells nothing on stderr
but that."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ratls_ls.simulator import serve

from .editor import PATIENCE_SECONDS, trust, user_environment
from .raw import RawServer, raw_server

ATTESTED = """\
[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
use_ratls = true
"""
HUGE = b"Content-Length: 70000000\r\n\r\n" + b"x" * 70_000_000


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def message(**fields: Any) -> bytes:
    return framed(json.dumps({"jsonrpc": "2.0", **fields}).encode())


# With a request under way there is something to look the id up in.
CANCELLED_BY_OBJECT = message(id=1, method="attestationStatus", params={}) + message(
    method="$/cancelRequest", params={"id": {}}
)


async def still_there(server: RawServer, identifier: str) -> None:
    server.send({"id": identifier, "method": "attestationStatus", "params": {}})
    assert "result" in await server.answer(identifier)


ODD: dict[str, tuple[bytes, int | None]] = {
    "no-json": (framed(b"{"), -32700),
    "not-utf-8": (framed(b'{"jsonrpc":"2.0","id":1,"method":"\xff"}'), -32700),
    "deep": (framed(b"[" * 100_000), -32700),
    "scalar": (framed(b"1"), -32600),
    "null": (framed(b"null"), -32600),
    "batch": (framed(b'[{"jsonrpc":"2.0","id":1,"method":"shutdown"}]'), -32600),
    "no-version": (framed(b'{"id":1,"method":"shutdown"}'), -32600),
    "too-large": (HUGE, -32600),
    "unknown-method": (message(id=1, method="no/such"), -32601),
    "half-typed": (message(id=1, method="textDocument/hover", params={"x": 1}), -32602),
    "no-params": (message(id=1, method="textDocument/hover"), -32602),
    "wrong-command": (
        message(id=1, method="workspace/executeCommand", params={"command": "no.such"}),
        -32602,
    ),
    "wrong-arguments": (
        message(
            id=1,
            method="workspace/executeCommand",
            params={"command": "ratls.attest", "arguments": [1]},
        ),
        -32602,
    ),
    "unknown-notification": (message(method="no/such", params={}), None),
    "half-typed-notification": (message(method="textDocument/didOpen", params={}), None),
    "change-of-nothing": (
        message(
            method="textDocument/didChange",
            params={
                "textDocument": {"uri": "file:///nothing.toml", "version": 1},
                "contentChanges": [{"text": "x"}],
            },
        ),
        None,
    ),
    "null-id": (message(id=None, method="shutdown"), -32600),
    "object-as-id": (message(id={}, method="shutdown"), -32600),
    "truth-as-id": (message(id=True, method="shutdown"), -32600),
    "second-initialize": (
        message(
            id=1,
            method="initialize",
            params={"processId": None, "rootUri": None, "capabilities": {}},
        ),
        -32600,
    ),
    "cancel-of-an-object-while-another-runs": (CANCELLED_BY_OBJECT, None),
    "answer-to-an-object": (message(id={}, result=None), None),
    "cancel-of-nothing": (message(method="$/cancelRequest", params={"id": 99}), None),
    "answer-to-nothing": (message(id=99, result=None), None),
    "error-to-nothing": (message(id=99, error={"code": 1, "message": "x"}), None),
    "lower-case-header": (
        message(id=1, method="no/such").replace(b"Content-Length", b"content-length"),
        -32601,
    ),
    "line-feeds-alone": (message(id=1, method="no/such").replace(b"\r\n", b"\n"), -32601),
    "another-header": (
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"
        + message(id=1, method="no/such"),
        -32601,
    ),
    "too-short-a-length": (b"Content-Length: 5\r\n\r\n" + b'{"jsonrpc":"2.0"}', -32700),
}


async def test_odd_messages_are_answered_and_the_server_goes_on(home: Path) -> None:
    async with raw_server(home, []) as server:
        for name, (data, code) in ODD.items():
            server.write(data)
            if code is not None:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while "error" not in (answer := await server.receive()):
                        pass
                assert answer["error"]["code"] == code, (name, answer)
                assert "Traceback" not in json.dumps(answer), name
            await still_there(server, name)
        assert server.peak_bytes < 400 * 1024 * 1024
        server.send({"id": "end", "method": "shutdown"})
        await server.answer("end")
        server.send({"method": "exit"})
        _, log = await server.process.communicate()
        assert b"Traceback" not in log


async def test_a_length_that_is_absurd_ends_the_server_and_says_so(home: Path) -> None:
    async with raw_server(home, []) as server:
        server.write(b"Content-Length: 99999999999\r\n\r\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await server.process.wait() == 1
        assert server.process.stderr is not None
        told = await server.process.stderr.read()
        assert b"Content-Length" in told
        assert b"Traceback" not in told


async def test_edits_that_are_out_of_range_lose_nothing(home: Path) -> None:
    async with raw_server(home, []) as server:
        uri = (home / ".codex" / "config.toml").as_uri()
        item = {"uri": uri, "languageId": "toml", "version": 1, "text": "a = 1\n"}
        server.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        place = {"line": 10**9, "character": 10**9}
        change = {"range": {"start": place, "end": place}, "text": 'name = "é'}
        for version in range(2, 200):
            params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]}
            server.send({"method": "textDocument/didChange", "params": params})
        await still_there(server, "edits")


async def test_a_large_document_and_many_providers(home: Path) -> None:
    text = "".join(
        f'[model_providers.p{index}]\nname = "n"\nbase_url = "https://p{index}.example/v1"\n\n'
        for index in range(10_000)
    )
    async with raw_server(home, []) as server:
        for name, content in (("many", text), ("large", "# " + "x" * 10_000_000)):
            uri = (home / f"{name}.config.toml").as_uri()
            item = {"uri": uri, "languageId": "toml", "version": 1, "text": content}
            server.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
            await still_there(server, name)


async def test_after_shutdown_requests_are_refused_and_exit_ends_it(home: Path) -> None:
    async with raw_server(home, []) as server:
        server.send({"id": 1, "method": "shutdown"})
        assert (await server.answer(1))["result"] is None
        server.send({"id": 2, "method": "attestationStatus", "params": {}})
        assert (await server.answer(2))["error"]["code"] == -32600
        server.send({"method": "exit"})
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await server.process.wait() == 0


async def test_exit_without_shutdown_is_exit_1(home: Path) -> None:
    async with raw_server(home, []) as server:
        server.send({"method": "exit"})
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await server.process.wait() == 1


# As the program is, where no name server ever answers.
UNANSWERED = """
import socket, sys, threading
def look_up(host, *_arguments, **_options):
    print(host, file=sys.stderr, flush=True)
    threading.Event().wait()
socket.getaddrinfo = look_up
from ratls_ls.__main__ import main
main()
"""


@pytest.mark.parametrize("end", ["exit", "end of stdin"])
async def test_a_name_server_that_does_not_answer_holds_up_no_end(home: Path, end: str) -> None:
    config = home / ".codex" / "config.toml"
    config.write_text(ATTESTED, "utf-8")
    async with raw_server(home, [], program=("-c", UNANSWERED)) as server:
        item = {"uri": config.as_uri(), "languageId": "toml", "version": 1, "text": ATTESTED}
        server.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        assert server.process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert b"tee.example" in await server.process.stderr.readline()
            if end == "exit":
                server.send({"method": "exit"})
            else:
                server.stdin.close()
            assert await server.process.wait() == 1


async def test_before_initialize_requests_are_refused(home: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ratls_ls", "--stdio"),
        env=user_environment(home),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    server = RawServer(process)
    try:
        server.send({"id": 1, "method": "attestationStatus", "params": {}})
        assert (await server.answer(1))["error"]["code"] == -32002
        params = {"processId": None, "rootUri": None, "capabilities": {}}
        server.send({"id": 2, "method": "initialize", "params": params})
        assert "result" in await server.answer(2)
    finally:
        process.kill()
        await process.communicate()


async def test_no_core_is_dumped(home: Path) -> None:
    async with raw_server(home, []) as server:
        limits = Path(f"/proc/{server.process.pid}/limits").read_text("ascii")
        line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert line.split()[4] == "0"


def test_the_server_ends_with_the_process_that_started_it(home: Path) -> None:
    """A client that is killed leaves stdin open where somebody else holds it too."""
    parent = subprocess.Popen(["sleep", "60"])
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "ratls_ls", "--stdio"],
        env=user_environment(home),
        stdin=reading,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        params = {"processId": parent.pid, "rootUri": None, "capabilities": {}}
        os.write(writing, message(id=1, method="initialize", params=params))
        parent.kill()
        parent.wait()
        process.wait(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(reading)
        os.close(writing)


async def test_a_stderr_that_nobody_reads_stops_nothing(home: Path) -> None:
    """More is logged than the pipe holds, and the next request is answered all the same."""
    unread, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ratls_ls", "--stdio"),
        env=user_environment(home),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=writing,
    )
    os.close(writing)
    server = RawServer(process)
    try:
        params = {"processId": None, "rootUri": None, "capabilities": {}}
        server.send({"id": 0, "method": "initialize", "params": params})
        await server.answer(0)
        server.write(CANCELLED_BY_OBJECT * 4000)
        await still_there(server, "after")
        assert len(os.read(unread, 1 << 20)) > 60_000, "the pipe was not full"
    finally:
        process.kill()
        await process.communicate()
        os.close(unread)


async def test_a_flood_is_read_no_faster_than_it_is_handled(home: Path) -> None:
    async with raw_server(home, []) as server:
        await still_there(server, "before")
        before = server.peak_bytes
        server.write(message(method="$/flood", params="x" * 2000) * 15_000)
        await still_there(server, "after")
        assert server.peak_bytes - before < 8 * 1024 * 1024


async def test_keystrokes_leave_nothing_behind(home: Path) -> None:
    async with raw_server(home, []) as server:
        uri = (home / ".codex" / "config.toml").as_uri()
        item = {"uri": uri, "languageId": "toml", "version": 1, "text": "\n"}
        server.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})

        async def type_on(name: str) -> int:
            start = {"line": 0, "character": 0}
            for index in range(3000):
                end = {"line": 0, "character": index % 2}
                change = {"range": {"start": start, "end": end}, "text": "" if index % 2 else "#"}
                identifier = {"uri": uri, "version": index}
                params = {"textDocument": identifier, "contentChanges": [change]}
                server.send({"method": "textDocument/didChange", "params": params})
            await still_there(server, name)
            return server.peak_bytes

        first, second = await type_on("first"), await type_on("second")
        assert second - first < 2 * 1024 * 1024  # a kilobyte each would show


async def test_what_was_asked_before_stdin_ended_is_answered(home: Path) -> None:
    async with serve() as provider:
        (home / ".codex" / "config.toml").write_text(provider.config_toml("tee"), "utf-8")
        async with raw_server(home, trust(provider, home)) as server:
            held = {"provider": "tee", "path": "/test/held-events", "partialResultToken": 1}
            for index in range(20):
                server.send({"id": f"s{index}", "method": "attestationStatus", "params": {}})
                server.send({"id": f"r{index}", "method": "attestedRequest", "params": held})
            server.stdin.close()
            answers = {}
            while len(answers) < 40:
                answer = await server.receive()
                if "id" in answer:
                    answers[answer["id"]] = answer
            for index in range(20):
                assert "result" in answers[f"s{index}"]
                assert answers[f"r{index}"]["error"]["code"] == -32800
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert await server.process.wait() == 1
            await provider.record.wait_for(lambda record: all(c.closed for c in record.connections))


async def test_a_client_that_announces_nothing_gets_what_every_client_takes(home: Path) -> None:
    async with serve() as provider:
        config = home / ".codex" / "config.toml"
        config.write_text(provider.config_toml("tee", pinned=False), "utf-8")
        manual = {"attestation": {"trigger": "manual"}}
        async with raw_server(home, trust(provider, home), settings=manual) as server:
            params = {"provider": "tee", "refresh": True}
            server.send({"id": 1, "method": "attestationStatus", "params": params})
            answer = await server.answer(1)
            (status,) = answer["result"]["providers"]
            assert status["state"] == "affirmed"
            document = {"uri": config.as_uri(), "languageId": "toml", "version": 1}
            document["text"] = config.read_text("utf-8")
            server.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
            asked = {"textDocument": {"uri": config.as_uri()}, "context": {"diagnostics": []}}
            params = {**asked, "range": status["range"]}
            server.send({"id": 2, "method": "textDocument/codeAction", "params": params})
            actions = (await server.answer(2))["result"]
            (pin,) = (each for each in actions if each["title"].startswith("Pin "))
            assert list(pin["edit"]) == ["changes"]
            assert list(pin["edit"]["changes"]) == [config.as_uri()]
            asked_of_client = [
                each["method"] for each in server.seen if "id" in each and "method" in each
            ]
            assert asked_of_client == []


async def test_two_requests_with_one_id_are_both_answered(home: Path) -> None:
    async with serve() as provider:
        (home / ".codex" / "config.toml").write_text(provider.config_toml("tee"), "utf-8")
        async with raw_server(home, trust(provider, home)) as server:
            params = {"provider": "tee", "path": "/test/held-events"}
            for _ in range(2):
                server.send({"id": "twin", "method": "attestedRequest", "params": params})
            await provider.record.wait_for(
                lambda record: sum(not request.is_quote for request in record.requests) == 2
            )
            # One of them, whichever: a client that does so cannot say which it means.
            server.send({"method": "$/cancelRequest", "params": {"id": "twin"}})
            server.send({"method": "$/cancelRequest", "params": {"id": "twin"}})
            cancelled = await server.answer("twin")
            assert cancelled["error"]["code"] == -32800
            provider.gate.set()
            assert (await server.answer("twin"))["result"]["complete"]
            await still_there(server, "after")


async def test_an_answer_that_nobody_waits_for(home: Path) -> None:
    """To what was cancelled meanwhile, and to what is none of the server's requests."""
    config = home / ".codex" / "config.toml"
    async with serve() as provider:
        config.write_text(provider.config_toml("tee", pinned=False), "utf-8")
        async with raw_server(home, trust(provider, home)) as server:

            def command(identifier: str, name: str) -> None:
                params = {"command": name, "arguments": [config.as_uri(), "tee"]}
                method = "workspace/executeCommand"
                server.send({"id": identifier, "method": method, "params": params})

            command("attest", "ratls.attest")
            await server.answer("attest")
            for message in (
                {"method": "$/cancelRequest", "params": {"id": "pin"}},
                {"id": "pin", "result": None},
            ):
                command("pin", "ratls.pinMeasurements")
                asked = await server.question("workspace/applyEdit")
                server.send(message)
                server.send({"id": asked, "result": {"applied": True}})
                await still_there(server, "after")
