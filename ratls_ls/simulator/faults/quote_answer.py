"""Answers to the quote request that lie in their framing, their form or their time."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ratls_ls.rats.result import ClaimName
from ratls_ls.simulator.http import JSON, Request, Response, Wire, crumbled
from ratls_ls.simulator.scenario import Scenario

from .fault import harmless, rejected, unreachable

_FORGED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def _delivered(scenario: Scenario, deliver: Callable[[Wire], Awaitable[None]]) -> None:
    def change(response: Response) -> Response:
        response.deliver = deliver
        return response

    scenario.quote.append(change)


def _instead(scenario: Scenario, status: int, body: bytes, *headers: tuple[str, str]) -> None:
    scenario.quote.append(lambda _: Response(status, list(headers), body))


def _said(scenario: Scenario, **changes: Any) -> None:
    scenario.answer.append(lambda answer: answer | changes)


@rejected(ClaimName.QUOTE_FORMAT, 98)
def answer_behind_the_quote(scenario: Scenario) -> None:
    """a second answer comes in one piece with the quote, to be taken for that to the prompt"""

    async def deliver(wire: Wire) -> None:
        await wire.send(await wire.whole() + _FORGED)

    _delivered(scenario, deliver)


@harmless(101)
def quote_in_crumbs(scenario: Scenario) -> None:
    """the quote answer comes in chunks of one byte"""
    scenario.quote.append(crumbled)


@rejected(ClaimName.QUOTE_FORMAT, 98)
def record_behind_the_quote(scenario: Scenario) -> None:
    """a second answer waits in a TLS record of its own behind the quote"""

    async def deliver(wire: Wire) -> None:
        whole = await wire.whole()
        await wire.send(whole[:-1])
        await wire.send_together(whole[-1:], _FORGED)

    _delivered(scenario, deliver)


@unreachable("quote", 98, hangs=True)
def half_a_record_behind_the_quote(scenario: Scenario) -> None:
    """the beginning of a second answer waits behind the quote, for its end to follow the prompt"""

    async def deliver(wire: Wire) -> None:
        whole = await wire.whole()
        await wire.send(whole[:-1])
        await wire.send_together(whole[-1:], _FORGED, held_back=3)
        await wire.hang()

    _delivered(scenario, deliver)


def _while_it_is_judged(scenario: Scenario, act: Callable[[Wire], Awaitable[None]]) -> None:
    """`act` on the connection after the quote and before the collateral, so that the verdict cannot
    be there first."""
    acted = asyncio.Event()

    async def deliver(wire: Wire) -> None:
        await wire.send(await wire.whole())
        await wire.record.wait_for(lambda record: bool(record.pccs_targets))
        try:
            await act(wire)
        finally:
            acted.set()

    async def wait(wire: Wire) -> None:
        await acted.wait()
        await wire.send(await wire.whole())

    def hold(_request: Request, response: Response) -> Response:
        response.deliver = wait
        return response

    _delivered(scenario, deliver)
    scenario.pccs.append(hold)


@rejected(ClaimName.QUOTE_FORMAT, 98)
def record_during_appraisal(scenario: Scenario) -> None:
    """a second answer comes while the quote is judged"""
    _while_it_is_judged(scenario, lambda wire: wire.send(_FORGED))


@unreachable("quote", 96)
def cut_during_appraisal(scenario: Scenario) -> None:
    """TCP ends while the quote is judged"""
    _while_it_is_judged(scenario, lambda wire: wire.cut())


@rejected(ClaimName.QUOTE_FORMAT, 99)
def both_lengths(scenario: Scenario) -> None:
    """the quote answer has Content-Length and Transfer-Encoding"""

    async def deliver(wire: Wire) -> None:
        body = b"".join([part async for part in wire.parts()])
        head = wire.head.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        await wire.send(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    _delivered(scenario, deliver)


@rejected(ClaimName.QUOTE_FORMAT, 99)
def negative_length(scenario: Scenario) -> None:
    """the quote answer has a negative length"""

    async def deliver(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}")

    _delivered(scenario, deliver)


@rejected(ClaimName.QUOTE_FORMAT, 100)
def no_length(scenario: Scenario) -> None:
    """the quote answer has no length and ends with the connection"""

    async def deliver(wire: Wire) -> None:
        body = b"".join([part async for part in wire.parts()])
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)
        await wire.finish()

    _delivered(scenario, deliver)


@rejected(ClaimName.QUOTE_FORMAT, 101)
def endless_answer(scenario: Scenario) -> None:
    """the quote answer does not end"""

    async def deliver(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
        while True:
            await wire.send(chunk)

    _delivered(scenario, deliver)


@unreachable("quote", 101, hangs=True)
def dripping_answer(scenario: Scenario) -> None:
    """the quote answer comes a byte at a time, and never to its end"""

    async def deliver(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            await wire.send(b" ")
            await asyncio.sleep(0.05)

    _delivered(scenario, deliver)


@rejected(ClaimName.QUOTE_FORMAT, 101)
def informational_flood(scenario: Scenario) -> None:
    """informational answers without end come before the quote"""

    async def deliver(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100 + await wire.whole())

    _delivered(scenario, deliver)


@rejected(ClaimName.QUOTE_FORMAT, 101)
def endless_head(scenario: Scenario) -> None:
    """the head of the quote answer does not end"""

    async def deliver(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            await wire.send(b"X-Filler: " + b"x" * 1024 + b"\r\n")

    _delivered(scenario, deliver)


@unreachable("quote", 95, 101, hangs=True)
def silent_after_the_quote_request(scenario: Scenario) -> None:
    """the quote request is never answered"""

    async def deliver(wire: Wire) -> None:
        await wire.hang()

    _delivered(scenario, deliver)


@unreachable("quote", 96)
def cut_quote_answer(scenario: Scenario) -> None:
    """TCP ends within the quote answer"""

    async def deliver(wire: Wire) -> None:
        whole = await wire.whole()
        await wire.send(whole[: len(whole) // 2])
        await wire.cut()

    _delivered(scenario, deliver)


@rejected(ClaimName.QUOTE_FORMAT, 12, 14)
def closes_behind_the_quote(scenario: Scenario) -> None:
    """the server closes the connection that it was to attest"""

    def close(response: Response) -> Response:
        response.headers.append(("Connection", "close"))
        return response

    scenario.quote.append(close)


@rejected(ClaimName.QUOTE_FORMAT, 102)
def compressed_quote_answer(scenario: Scenario) -> None:
    """the quote answer is compressed, which nobody asked for"""

    def compress(response: Response) -> Response:
        body = response.body if isinstance(response.body, bytes) else b""
        headers = [*response.headers, ("Content-Encoding", "gzip")]
        return Response(200, headers, gzip.compress(body))

    scenario.quote.append(compress)


@rejected(ClaimName.QUOTE_FORMAT, 103)
def quote_error(scenario: Scenario) -> None:
    """the server has an error instead of a quote"""
    _instead(scenario, 500, b'{"detail":"no TDX device"}', ("Content-Type", JSON))


@rejected(ClaimName.QUOTE_FORMAT, 103)
def quote_forbidden(scenario: Scenario) -> None:
    """the server refuses to give a quote"""
    _instead(scenario, 403, b'{"detail":"not for you"}', ("Content-Type", JSON))


@rejected(ClaimName.QUOTE_FORMAT, 2, 103)
def no_quote_endpoint(scenario: Scenario) -> None:
    """an ordinary server, which knows no quote request"""
    _instead(scenario, 404, b"Not Found", ("Content-Type", "text/plain"))


@rejected(ClaimName.QUOTE_FORMAT, 103, 104)
def quote_redirects(scenario: Scenario) -> None:
    """the quote request is redirected to another host"""
    _instead(scenario, 307, b"", ("Location", "https://other.example/tdx_quote"))


@rejected(ClaimName.QUOTE_FORMAT, 103)
def quote_page(scenario: Scenario) -> None:
    """a page for people comes instead of a quote"""
    _instead(scenario, 200, b"<h1>Welcome</h1>", ("Content-Type", "text/html"))


@rejected(ClaimName.QUOTE_FORMAT, 103)
def unsuccessful_quote(scenario: Scenario) -> None:
    """the answer is proper and says that there is no quote"""
    body = json.dumps({"success": False, "error": "no TDX device"}).encode()
    _instead(scenario, 200, body, ("Content-Type", JSON))


@rejected(ClaimName.QUOTE_FORMAT, 11)
def mock_quote(scenario: Scenario) -> None:
    """the server says itself that its quote is a mock"""
    _said(scenario, quote_type="mock")


@rejected(ClaimName.QUOTE_FORMAT, 56)
def prefixed_hex(scenario: Scenario) -> None:
    """the quote is written with 0x before it"""

    def prefix(answer: dict[str, Any]) -> dict[str, Any]:
        answer["quote"]["quote"] = "0x" + answer["quote"]["quote"]
        return answer

    scenario.answer.append(prefix)


@rejected(ClaimName.QUOTE_FORMAT, 110)
def deep_json(scenario: Scenario) -> None:
    """the quote answer is nested beyond reason"""
    scenario.answer_body.append(lambda _: b"[" * 50_000)


@rejected(ClaimName.QUOTE_FORMAT, 110)
def scattered_json(scenario: Scenario) -> None:
    """the quote answer has parts without end that nobody reads, to keep the client busy"""
    scenario.answer_body.append(lambda body: b'{"x":[' + b"[]," * 600_000 + b"0]," + body[1:])


@rejected(ClaimName.QUOTE_FORMAT, 111)
def duplicate_keys(scenario: Scenario) -> None:
    """a key of the quote answer stands twice, for two parsers to read differently"""
    scenario.answer_body.append(lambda body: b'{"quote":{"quote":"00"},' + body[1:])


@rejected(ClaimName.QUOTE_FORMAT, 112)
def not_a_number(scenario: Scenario) -> None:
    """the quote answer holds NaN, which is no JSON"""
    scenario.answer_body.append(lambda body: b'{"x":NaN,' + body[1:])


@rejected(ClaimName.QUOTE_FORMAT, 112)
def trailing_json(scenario: Scenario) -> None:
    """more text stands behind the quote answer's JSON"""
    scenario.answer_body.append(lambda body: body + b"{}")


@rejected(ClaimName.QUOTE_FORMAT, 84, 112)
def answer_not_utf_8(scenario: Scenario) -> None:
    """the quote answer is no UTF-8"""
    scenario.answer_body.append(lambda body: b'{"x":"\xff",' + body[1:])
