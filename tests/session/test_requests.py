"""`attestedRequest` in all its shapes, over real TLS to a simulated provider."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from ratls_ls.atls import network
from ratls_ls.atls.errors import Step
from ratls_ls.lsp import answer, methods
from ratls_ls.simulator import SimulatedProvider, serve
from ratls_ls.simulator.event_log import certificate_event
from ratls_ls.simulator.http import Response, Wire
from ratls_ls.simulator.scenario import Log, Scenario

from .world import Api, World, a_world, out_of_date, play, refused, replaying

RESULT_KEYS = {"status", "headers", "complete", "attestation", "timings"}
BODIES = ("status", "body", "bodyText", "bodyBase64")
TIMINGS = {"connectMs", "attestMs", "firstByteMs", "totalMs", "reusedConnection"}


# Bodies.


async def test_a_json_answer_is_a_json_value(world: World, provider: SimulatedProvider) -> None:
    world.write(provider.config_toml("tee"))
    result = await world.request(path="/models")
    assert result.keys() == RESULT_KEYS | {"body"}
    assert result["timings"].keys() == TIMINGS
    assert (result["status"], result["complete"]) == (200, True)
    assert result["body"]["object"] == "list"
    assert ["content-type", "application/json"] in result["headers"]
    assert result["attestation"]["verdict"] == "affirmed"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"body": {"a": [1, None, "ä"]}}, "application/json"),
        ({"body": False}, "application/json"),
        ({"bodyText": "Zeile\n"}, "text/plain; charset=utf-8"),
        ({"bodyBase64": "AAEC"}, "application/octet-stream"),
    ],
)
async def test_a_body_is_sent_as_it_was_given(
    world: World, provider: SimulatedProvider, body: dict[str, Any], content_type: str
) -> None:
    world.write(provider.config_toml("tee"))
    echoed = (await world.request(path="/test/echo", **body))["body"]
    assert echoed["method"] == "POST"
    assert echoed["headers"]["content-type"] == content_type
    sent = provider.record.requests[-1].body
    key, value = next(iter(body.items()))
    assert value == (
        json.loads(sent)
        if key == "body"
        else sent.decode()
        if key == "bodyText"
        else base64.b64encode(sent).decode()
    )


@pytest.mark.parametrize(
    ("content_type", "raw", "shape"),
    [
        ("application/json", b'{"a": 1}', {"body": {"a": 1}}),
        ("application/problem+json", b"[]", {"body": []}),
        ("application/json", b"null", {"body": None}),
        ("application/json", b"\xef\xbb\xbf{}", {"body": {}}),
        ("application/json", b"{", {"bodyText": "{"}),
        ("application/json", b'{"a": NaN}', {"bodyText": '{"a": NaN}'}),
        ("application/json", b"1e999", {"bodyText": "1e999"}),
        ("application/json", b"9" * 310, {"bodyText": "9" * 310}),
        ("application/json", b"[" * 900 + b"]" * 900, {"bodyText": "[" * 900 + "]" * 900}),
        ("application/json", b"[[], []]" + b" " * 9, {"body": [[], []]}),
        ("text/html", "ä".encode(), {"bodyText": "ä"}),
        ("text/plain", b"\xff", {"bodyBase64": "/w=="}),
        ("image/png", b"ab", {"bodyBase64": "YWI="}),
        ("text/plain", b"", {}),
    ],
)
async def test_an_answer_becomes_what_its_type_says(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content_type: str,
    raw: bytes,
    shape: dict[str, Any],
) -> None:
    api = Api(answer=lambda: Response(200, [("Content-Type", content_type)], raw))
    async with (
        serve(api=api) as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        world.write(provider.config_toml("tee"))
        result = await world.request()
        assert {key: result[key] for key in result.keys() - RESULT_KEYS} == shape


async def test_events_come_in_order_each_as_one_part(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))
    parts: list[Any] = []
    result = await world.request(path="/test/events?count=500", parts=parts)
    assert result.keys() == RESULT_KEYS
    head, *events = parts
    assert head.keys() == {"kind", "status", "headers", "attestation"}
    assert (head["kind"], head["status"]) == ("head", 200)
    assert events[:-1] == [
        {"kind": "event", "event": "sample", "data": json.dumps({"index": i}), "id": str(i)}
        for i in range(500)
    ]
    assert events[-1] == {"kind": "event", "event": "message", "data": "[DONE]", "id": "499"}


async def test_text_and_bytes_come_in_chunks(world: World, provider: SimulatedProvider) -> None:
    world.write(provider.config_toml("tee"))
    text: list[Any] = []
    await world.request(path="/test/chunks?count=9", parts=text)
    assert all(part["kind"] == "chunk" for part in text[1:])
    assert "".join(part["text"] for part in text[1:]) == "".join(f"chunk {i}\n" for i in range(9))
    binary: list[Any] = []
    await world.request(path="/test/bytes?count=70000", parts=binary)
    received = b"".join(base64.b64decode(part["base64"]) for part in binary[1:])
    assert received == (bytes(range(256)) * 274)[:70000]


@pytest.mark.parametrize("code", [301, 307, 401, 404, 429, 500])
async def test_any_status_is_a_result_and_no_redirect_is_followed(
    world: World, provider: SimulatedProvider, code: int
) -> None:
    world.write(provider.config_toml("tee"))
    result = await world.request(path=f"/test/status?code={code}", body={})
    assert (result["status"], result["body"]) == (code, {"status": str(code)})
    assert [request.is_quote for request in provider.record.requests] == [True, False]


async def test_an_empty_answer_has_no_body(world: World, provider: SimulatedProvider) -> None:
    world.write(provider.config_toml("tee"))
    result = await world.request(path="/test/empty")
    assert result.keys() == RESULT_KEYS
    assert result["status"] == 204


async def test_a_cut_answer_says_how_much_came(world: World, provider: SimulatedProvider) -> None:
    world.write(provider.config_toml("tee"))
    for parts in (None, []):
        error = await refused(world.request(path="/test/cut", parts=parts))
        assert error.code == methods.BROKEN_RESPONSE
        assert 0 < error.data["received"] < 1024


async def test_an_answer_too_large_for_one_message_is_refused(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "MAX_COLLECTED_BYTES", 100_000)
    world.write(provider.config_toml("tee"))
    error = await refused(world.request(path="/test/bytes?count=200000"))
    assert error.code == methods.BROKEN_RESPONSE
    assert "partialResultToken" in error.message
    assert error.data["received"] > 100_000
    assert (await world.request(path="/test/bytes?count=100000"))["status"] == 200


async def _many(chunk: bytes, count: int, sent: list[int]) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield chunk
        sent.append(len(chunk))


async def test_a_large_answer_streams_without_growth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk, count = bytes(64 * 1024), 1024  # 64 MiB
    api = Api(answer=lambda: Response(200, [("Content-Type", "a/b")], _many(chunk, count, [])))
    async with (
        serve(api=api) as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        world.write(provider.config_toml("tee"))
        await world.request(parts=[])
        received = 0

        class Parts(list[Any]):
            def append(self, part: Any) -> None:
                nonlocal received
                received += len(part.get("base64", "")) * 3 // 4

        tracemalloc.start()
        try:
            await world.request(parts=Parts())
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert received >= 64 * 1024 * 1024
        assert peak < 16 * 1024 * 1024


async def test_a_slow_client_slows_the_server_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    data = b"data: " + b"x" * 16_000 + b"\n\n"
    stream = [("Content-Type", "text/event-stream")]
    api = Api(answer=lambda: Response(200, stream, _many(data, 4000, sent)))
    async with (
        serve(api=api) as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        world.write(provider.config_toml("tee"))
        going = asyncio.Event()
        seen = 0

        class Parts(list[Any]):
            def append(self, _: Any) -> None:
                nonlocal seen
                seen += 1

        original = answer.parts

        async def held(response: Any) -> AsyncIterator[dict[str, Any]]:
            async for part in original(response):
                yield part
                await going.wait()

        monkeypatch.setattr(answer, "parts", held)
        running = asyncio.ensure_future(world.request(parts=Parts()))
        await world.until(lambda: seen == 2)
        # Whatever the buffers on the way hold is there once nothing moves any more.
        before = -1
        while before != len(sent):
            before = len(sent)
            for _ in range(200):
                await asyncio.sleep(0)
        assert len(sent) < 2000
        going.set()
        await running
        assert seen == 4001


# Connections.


async def test_requests_share_a_connection(world: World, provider: SimulatedProvider) -> None:
    world.write(provider.config_toml("tee"))
    first = (await world.request())["timings"]
    second = (await world.request())["timings"]
    assert (first["reusedConnection"], second["reusedConnection"]) == (False, True)
    assert first["attestMs"] > 0
    assert (second["connectMs"], second["attestMs"]) == (0, 0)
    assert len(provider.record.connections) == 1


async def test_another_document_leaves_the_connections_of_a_closed_config_alone(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))
    await world.request()
    other = (world.home / "other.toml").as_uri()
    world.session.open(other, "[model_providers.x]\nname = 'x'\n", 1)
    world.session.change(other, "[model_providers.y]\nname = 'y'\n", 2)
    world.session.close(other)
    assert (await world.request())["timings"]["reusedConnection"] is True


async def test_providers_that_only_differ_in_name_and_key_share_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    async with a_world(
        tmp_path, monkeypatch, trusting=[provider], environment={"KEY": "sk-1"}
    ) as world:
        one = provider.config_toml("one")
        two = provider.config_toml("two", env_key="KEY")
        world.write(one + "\n" + two)
        await world.request("one")
        result = await world.request("two", path="/test/echo")
        assert result["timings"]["reusedConnection"] is True
        assert result["body"]["headers"]["authorization"] == "Bearer sk-1"
        assert result["attestation"]["provider"] == "two"


async def test_a_policy_edit_retires_what_it_would_not_admit(
    world: World, provider: SimulatedProvider
) -> None:
    uri = world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    await world.request()
    world.save(uri, provider.config_toml("tee", allowed_tdx_status=["UpToDate", "OutOfDate"]))
    await provider.record.wait_for(lambda record: record.connections[0].closed)
    assert (await world.request())["attestation"]["verdict"] == "affirmed"
    assert not provider.record.connections[0].requests[2:]


async def test_a_policy_edit_lets_running_requests_end_in_peace(
    world: World, provider: SimulatedProvider
) -> None:
    uri = world.open(provider.config_toml("tee"))
    running = await world.held_request()
    world.save(uri, provider.config_toml("tee", allowed_tdx_status=["UpToDate", "OutOfDate"]))
    provider.gate.set()
    assert (await running)["complete"] is True


async def test_concurrent_first_requests_attest_each_socket_once(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))
    for turn in (1, 2):
        provider.gate.clear()
        held = [
            asyncio.ensure_future(world.request(path="/test/held-events", parts=[]))
            for _ in range(20)
        ]
        # None waits for another.
        await provider.record.wait_for(
            lambda record, turn=turn: (  # type: ignore[misc]
                sum(not request.is_quote for request in record.requests) == 20 * turn
            )
        )
        provider.gate.set()
        await asyncio.gather(*held)
        quotes = [request for request in provider.record.requests if request.is_quote]
        assert len(quotes) == len(provider.record.connections) == 20


@pytest.mark.parametrize("host", ["[2001:DB8::1]", "TEE.example", "xn--a.example"])
async def test_whatever_host_a_config_may_have_is_asked_for(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    async def here(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(network, "resolve", here)
    world.write(provider.config_toml("tee").replace("//localhost", f"//{host}"))
    error = await refused(world.request())
    assert (error.code, error.data["step"]) == (-32013, "tls")
    assert f"is not for {host.strip('[]').lower()}" in str(error)


async def test_a_dropped_idle_socket_is_replaced_by_an_attested_one(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))
    await world.request()
    await provider.close_connections()
    result = await world.request(body={"input": "x"}, path="/responses")
    assert (result["status"], result["timings"]["reusedConnection"]) == (200, False)
    first, second = provider.record.connections
    assert [request.is_quote for request in second.requests] == [True, False]
    assert [request.is_quote for request in first.requests] == [True, False]


OK = b"HTTP/1.1 200 OK\r\n"
TEXT = [("Content-Type", "text/plain")]
HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"
HEAD = OK + b"Content-Length: 30000\r\n\r\n"
FORGED = OK + b"Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nforged"
ANSWERS = {
    "with-a-length": OK + b"Content-Length: 2\r\n\r\nok",
    "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n",
    "empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "behind-another": HINTS + OK + b"Content-Length: 1\r\n\r\n1",
    "large": OK + b"Content-Length: 300000\r\n\r\n" + bytes(300_000),
}


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("rest", [b"\n", FORGED[:1], FORGED[:30], FORGED, FORGED + FORGED[:-1]])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_what_comes_behind_an_answer_is_none_to_the_next_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, rest: bytes
) -> None:
    """Whether in its last record, even with nothing but its last byte, or in one of its own."""
    for records in (
        pieces(answer + rest, 9000),
        [*pieces(answer[:-1], 9000), answer[-1:] + rest],
        [*pieces(answer, 9000), rest],
    ):

        async def deliver(wire: Wire, records: list[bytes] = records) -> None:
            await wire.whole()
            await wire.send_together(*records)

        answers = [Response(200, deliver=deliver), Response(200, TEXT, b"genuine")]
        async with (
            serve(api=Api(answer=lambda rest=answers: rest.pop(0))) as provider,
            a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
        ):
            world.write(provider.config_toml("tee"))
            await world.request()
            second = await world.request(body={"input": "x"})
            assert second["bodyText"] == "genuine"
            assert second["timings"]["reusedConnection"] is False


@pytest.mark.parametrize(
    ("answer", "size"),
    [
        pytest.param(answer, size, id=f"{name}-{size}")
        for name, answer in ANSWERS.items()
        for size in (1, 2, 1000, 1 << 20)
        if len(answer) <= 1000 * size  # more records take too long
    ],
)
async def test_an_answer_that_ends_where_it_should_leaves_its_connection_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, size: int
) -> None:
    """In however many records it comes."""

    async def deliver(wire: Wire) -> None:
        await wire.whole()
        for piece in pieces(answer, size):
            await wire.send(piece)

    async with (
        serve(api=Api(answer=lambda: Response(200, deliver=deliver))) as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        world.write(provider.config_toml("tee"))
        first = await world.request()
        second = await world.request()
        assert second["timings"]["reusedConnection"] is True
        assert {key: first.get(key) for key in BODIES} == {key: second.get(key) for key in BODIES}


@pytest.mark.parametrize("limit", [len(HINTS + HEAD) - 1, len(HINTS + HEAD)])
async def test_a_head_has_its_limit_with_all_that_comes_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """For a body there is none."""

    async def deliver(wire: Wire) -> None:
        await wire.whole()
        for record in (HINTS, HEAD, bytes(30_000)):
            await wire.send(record)

    async with (
        serve(api=Api(answer=lambda: Response(200, deliver=deliver))) as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        world.write(provider.config_toml("tee"))
        await world.request()  # with the collateral, which has heads of its own
        monkeypatch.setattr("ratls_ls.atls.transport.MAX_HEADS_BYTES", limit)
        if limit < len(HINTS + HEAD):
            error = await refused(world.request(body={}))
            assert error.code == methods.BROKEN_RESPONSE
            assert "head does not end" in error.message
        else:
            assert (await world.request(body={}))["status"] == 200


async def test_a_server_that_falls_silent_is_waited_for_as_long_as_the_config_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deliver(wire: Wire) -> None:
        await wire.hang()

    async with (
        serve(api=Api(answer=lambda: Response(200, deliver=deliver))) as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        base = "[model_providers.tee]\n"
        text = provider.config_toml("tee")
        world.write(text.replace(base, base + "stream_idle_timeout_ms = 50\n"))
        error = await refused(world.request(body={}))
        assert error.code == methods.BROKEN_RESPONSE
        assert "nothing came for 0.05 s" in error.message


async def test_a_connection_is_used_no_longer_than_its_age_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    settings = {"attestation": {"connectionMaxAgeMinutes": 0}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        world.write(provider.config_toml("tee"))
        for _ in range(2):
            assert (await world.request())["timings"]["reusedConnection"] is False
        assert len(provider.record.connections) == 2


async def test_a_refusal_ends_the_connections_that_were_affirmed_before(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    await world.request()
    play(provider, monkeypatch, replaying)
    await world.session.attest(uri, "tee")
    error = await refused(world.request())
    assert error.code == methods.ATTESTATION_REJECTED
    assert provider.record.connections[-1].api_bytes == 0


async def test_the_first_prompt_finds_the_connection_warm(
    world: World, provider: SimulatedProvider
) -> None:
    world.open('model_provider = "tee"\n' + provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    assert (await world.request())["timings"]["reusedConnection"] is True
    assert len(provider.record.connections) == 1


async def test_a_closed_config_keeps_its_connections(
    world: World, provider: SimulatedProvider
) -> None:
    uri = world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    world.session.close(uri)
    assert (await world.request())["timings"]["reusedConnection"] is True


# Retries.


async def test_a_refused_connection_is_tried_again(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(provider.config_toml("tee"))
    monkeypatch.setattr("ratls_ls.atls.client.RETRY_SECONDS", 0.001)
    port, tries = provider.port, 0
    connect = network.connect
    free = socket.create_server(("127.0.0.1", 0))
    nobody = free.getsockname()[1]
    free.close()

    async def sometimes(host: str, at: int, on_step: Callable[[Step], None]) -> network.TcpChannel:
        nonlocal tries
        tries += 1
        return await connect(host, nobody if tries < 4 else at, on_step)

    monkeypatch.setattr(network, "connect", sometimes)
    assert (await world.request(path="/responses", body={"input": "x"}))["status"] == 200
    assert (tries, port) == (4, provider.port)


@pytest.mark.parametrize(
    ("method", "sent"),
    [("POST", 1), ("GET", 5)],
)
async def test_what_was_sent_is_sent_again_only_if_the_method_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, sent: int
) -> None:
    monkeypatch.setattr("ratls_ls.atls.client.RETRY_SECONDS", 0.001)

    async def cut(wire: Any) -> None:
        await wire.reset()

    api = Api(answer=lambda: Response(200, deliver=cut))
    async with (
        serve(api=api) as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        world.write(provider.config_toml("tee"))
        error = await refused(world.request(method=method))
        assert (error.code, error.data) == (methods.BROKEN_RESPONSE, {"received": 0})
        requests = provider.record.requests
        assert sum(not request.is_quote for request in requests) == sent
        # Each on a socket of its own, which was attested.
        assert sum(request.is_quote for request in requests) == sent


@pytest.mark.parametrize("change", [replaying, out_of_date])
async def test_a_refused_server_is_not_asked_again(
    world: World,
    provider: SimulatedProvider,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Scenario], None],
) -> None:
    world.write(provider.config_toml("tee"))
    play(provider, monkeypatch, change)
    assert (await refused(world.request(body={}))).code == methods.ATTESTATION_REJECTED
    assert len(provider.record.connections) == 1
    assert provider.record.api_bytes == 0


async def test_a_certificate_renewal_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The TD announced its new certificate, the web server still shows the old one."""
    async with (
        serve(generation="v0") as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        uri = world.open(provider.config_toml("tee", pinned=False))
        await world.state("tee", "affirmed")
        told = len(world.told)
        play(provider, monkeypatch, _announcing_another_certificate(times=1))
        await world.session.attest(uri, "tee")
        assert [status["state"] for status in world.told[told:]] == ["checking", "affirmed"]
        assert len(provider.record.connections) == 3
        play(provider, monkeypatch, _announcing_another_certificate(times=99))
        await provider.close_connections()
        error = await refused(world.request(body={}))
        assert error.code == methods.ATTESTATION_REJECTED
        assert "just renewed" in error.message
        assert len(provider.record.connections) == 5
        assert provider.record.api_bytes == 0


def _announcing_another_certificate(times: int) -> Callable[[Scenario], None]:
    """The TD announced, in the next so many quotes, another certificate than the one shown."""
    left = times

    def announce(log: Log) -> Log:
        nonlocal left
        left -= 1
        return [*log, certificate_event(b"the new one")] if left >= 0 else log

    return lambda scenario: scenario.log.append(announce)
