"""The quote request and what may come back, byte by byte over a scripted stream."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import cast

import pytest

from ratls_ls.atls import attester
from ratls_ls.atls.attester import check_nothing_waits, request_evidence
from ratls_ls.atls.errors import Step, UnreachableError
from ratls_ls.atls.tls import TlsStream
from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.evidence import Evidence, parse_quote_response

BODY = json.dumps({"success": True, "quote": {"quote": "00ff", "event_log": "[]"}}).encode()


def answer(body: bytes = BODY, *headers: str, status: str = "200 OK") -> bytes:
    """An HTTP/1.1 answer; with its length, unless there are `headers` of its own."""
    lines = headers or (f"Content-Length: {len(body)}",)
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "\r\n"]).encode() + body


GOOD = answer()
REFUSED = answer(b"{}", status="400 Bad Request")


class Script:
    """A stream that gives out `parts` one by one, then its end; an exception is raised."""

    def __init__(self, *parts: bytes | Exception, unread: bool | Exception = False) -> None:
        self.parts = list(parts)
        self.unread = unread
        self.written = b""

    async def write(self, data: bytes) -> None:
        self.written += data

    async def read(self, max_bytes: int) -> bytes:
        part = self.parts.pop(0) if self.parts else b""
        if isinstance(part, Exception):
            raise part
        if len(part) > max_bytes:
            part, rest = part[:max_bytes], part[max_bytes:]
            self.parts.insert(0, rest)
        return part

    async def has_unread(self) -> bool:
        if isinstance(self.unread, Exception):
            raise self.unread
        return self.unread

    async def ask(self, host: str = "tee.example", port: int = 443) -> tuple[Evidence, bytes]:
        return await request_evidence(cast(TlsStream, self), host, port)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The bodies that were posted."""
        found = []
        for request in self.written.split(b"POST /tdx_quote HTTP/1.1\r\n")[1:]:
            head, _, body = request.partition(b"\r\n\r\n")
            assert f"content-length: {len(body)}" in head.decode().lower()
            found.append(json.loads(body))
        return found


async def refused(script: Script, words: str) -> EvidenceError:
    with pytest.raises(EvidenceError, match=words) as caught:
        await script.ask()
    return caught.value


@pytest.mark.parametrize(
    ("host", "port", "authority"),
    [
        ("tee.example", 443, "tee.example"),
        ("tee.example", 8443, "tee.example:8443"),
        ("::1", 443, "[::1]"),
        ("::1", 8443, "[::1]:8443"),
    ],
)
async def test_the_request(host: str, port: int, authority: str) -> None:
    script = Script(GOOD)
    evidence, nonce = await script.ask(host, port)
    assert evidence == Evidence(b"\x00\xff", "[]")
    assert len(nonce) == 32
    assert script.messages == [{"nonce_hex": nonce.hex(), "report_data": nonce.hex()}]
    head = script.written.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    assert f"host: {authority}" in head
    assert "content-type: application/json" in head
    assert "accept-encoding: identity" in head
    assert not any(line.startswith(("authorization", "cookie", "connection")) for line in head)


async def test_each_nonce_is_new() -> None:
    nonces = {(await Script(GOOD).ask())[1] for _ in range(8)}
    assert len(nonces) == 8


@pytest.mark.parametrize(
    ("answers", "keys"),
    [
        ([GOOD], [{"nonce_hex", "report_data"}]),
        ([REFUSED, GOOD], [{"nonce_hex", "report_data"}, {"nonce_hex"}]),
        ([REFUSED, REFUSED, GOOD], [{"nonce_hex", "report_data"}, {"nonce_hex"}, {"report_data"}]),
        (
            [answer(b"\0", "Content-Length: 1", "Content-Encoding: br", status="400 No"), GOOD],
            [{"nonce_hex", "report_data"}, {"nonce_hex"}],
        ),
        (
            [answer(b"", status="422 Unprocessable Content"), GOOD],
            [{"nonce_hex", "report_data"}, {"nonce_hex"}],
        ),
    ],
)
async def test_strict_servers_are_asked_by_one_key(
    answers: Sequence[bytes], keys: list[set[str]]
) -> None:
    script = Script(*answers)
    _, nonce = await script.ask()
    assert [set(message) for message in script.messages] == keys
    sent = [value for message in script.messages for value in set(message.values())]
    assert len(set(sent)) == len(keys)  # no nonce is used twice
    assert sent[-1] == nonce.hex()


async def test_who_refuses_every_key_is_not_asked_a_fourth_time() -> None:
    script = Script(REFUSED, REFUSED, REFUSED, GOOD)
    error = await refused(script, "refused to give a quote")
    assert error.actual == "HTTP status 400"
    assert len(script.messages) == 3


async def test_a_connection_that_is_over_is_not_asked_again() -> None:
    closing = answer(b"{}", "Content-Length: 2", "Connection: close", status="400 Bad Request")
    script = Script(closing, GOOD)
    await refused(script, "refused to give a quote")
    assert len(script.messages) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("300 Several", "redirect"),
        ("308 Moved", "redirect"),
        ("399 Moved", "redirect"),
        ("404 Not Found", "has no /tdx_quote"),
        ("401 Unauthorized", "refused to give"),
        ("500 Oops", "refused to give"),
        ("201 Created", "refused to give"),
        ("299 Odd", "refused to give"),
    ],
)
async def test_any_other_status(status: str, words: str) -> None:
    script = Script(answer(status=status))
    error = await refused(script, words)
    assert error.actual == f"HTTP status {status[:3]}"
    assert len(script.messages) == 1


@pytest.mark.parametrize(
    "parts",
    [
        [GOOD],
        [GOOD[:1], GOOD[1:]],
        [GOOD[index : index + 1] for index in range(len(GOOD))],
        [b"HTTP/1.1 100 Continue\r\n\r\n" * 4 + GOOD],
        [answer(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY), "Transfer-Encoding: chunked")],
        [answer(BODY, f"Content-Length: {len(BODY)}", "Content-Encoding: Identity")],
    ],
)
async def test_good_answers(parts: list[bytes]) -> None:
    evidence, _ = await Script(*parts).ask()
    assert evidence.quote == b"\x00\xff"


LENGTH = f"Content-Length: {len(BODY)}"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 5 + GOOD, "informational"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + GOOD, "not proper HTTP"),
        (answer(BODY, LENGTH, "Transfer-Encoding: chunked"), "together"),
        (answer(b"{}", "Content-Length: 2", "Transfer-Encoding: chunked", status="400 No"), "toge"),
        (answer(BODY, LENGTH, "Content-Encoding: gzip"), "content encoding"),
        (answer(BODY, "X-No: length"), "without length"),
        (answer(BODY, "Content-Length: -1"), "not proper HTTP"),
        (answer(BODY, LENGTH, "Content-Length: 7"), "not proper HTTP"),
        (b"HTTP/2 200 OK\r\n\r\n", "not proper HTTP"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "not proper HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * attester.MAX_HEAD_BYTES, "not proper HTTP"),
        (GOOD[:-1], "not proper HTTP"),
        (b"", "not proper HTTP"),
        (GOOD + b"H", "wait behind"),
        (GOOD + GOOD, "wait behind"),
        (answer(BODY, LENGTH, "Connection: close"), "closed the connection"),
        (answer(b"[]"), "quote"),
    ],
)
async def test_bad_answers(sent: bytes, words: str) -> None:
    await refused(Script(sent), words)


async def test_what_waits_behind_the_answer_on_the_wire() -> None:
    await refused(Script(GOOD, unread=True), "wait behind")


def test_the_limits() -> None:
    assert attester.QUOTE_SECONDS == 30
    assert attester.MAX_RESPONSE_BYTES == 2 * 2**20
    assert attester.MAX_HEAD_BYTES == 16 * 2**10


async def test_a_large_answer_is_taken_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attester, "MAX_RESPONSE_BYTES", len(GOOD))
    await Script(GOOD).ask()
    monkeypatch.setattr(attester, "MAX_RESPONSE_BYTES", len(GOOD) - 1)
    await refused(Script(GOOD), "larger than")
    # Those before it count, too.
    monkeypatch.setattr(attester, "MAX_RESPONSE_BYTES", len(REFUSED + GOOD) - 1)
    await refused(Script(REFUSED, GOOD), "larger than")


async def test_a_cut_connection_is_no_verdict() -> None:
    with pytest.raises(UnreachableError, match="cut the connection") as caught:
        await Script(GOOD[:9], ConnectionResetError("reset")).ask()
    assert caught.value.step is Step.QUOTE


async def test_a_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Script):
        async def read(self, max_bytes: int) -> bytes:
            await asyncio.get_running_loop().create_future()
            raise AssertionError(max_bytes)

    monkeypatch.setattr(attester, "QUOTE_SECONDS", 0.01)
    with pytest.raises(UnreachableError, match="no whole quote within") as caught:
        await Silent().ask()
    assert caught.value.step is Step.QUOTE


async def test_what_does_not_end_behind_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(Script):
        async def has_unread(self) -> bool:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

    monkeypatch.setattr(attester, "QUOTE_SECONDS", 0.01)
    for asked in (
        Endless(GOOD).ask(),
        check_nothing_waits(cast(TlsStream, Endless()), "tee.example"),
    ):
        with pytest.raises(UnreachableError, match="within 0 s") as caught:
            await asked
        assert caught.value.step is Step.QUOTE


async def test_the_answer_is_read_where_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = []

    def read(body: bytes) -> Evidence:
        readers.append(threading.current_thread())
        return parse_quote_response(body)

    monkeypatch.setattr(attester, "parse_quote_response", read)
    await Script(GOOD).ask()
    assert threading.main_thread() not in readers
    assert readers


async def test_later_too_nothing_may_wait() -> None:
    await check_nothing_waits(cast(TlsStream, Script()), "tee.example")
    with pytest.raises(EvidenceError, match="wait behind"):
        await check_nothing_waits(cast(TlsStream, Script(unread=True)), "tee.example")
    cut = Script(unread=ConnectionResetError("reset"))
    with pytest.raises(UnreachableError, match="cut the connection"):
        await check_nothing_waits(cast(TlsStream, cut), "tee.example")
