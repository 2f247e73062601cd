"""Attested servers whose answers to the prompt are broken, or only look so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from ratls_ls.simulator.http import Response, Wire, crumbled
from ratls_ls.simulator.openai import EVENT_STREAM, error, event
from ratls_ls.simulator.scenario import Scenario

from .fault import broken, harmless

_MANY = 60_000
_RECORDS_AT_ONCE = 2_000
_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"


def _delivered(scenario: Scenario, deliver: Callable[[Wire], Awaitable[None]]) -> None:
    def change(response: Response) -> Response:
        response.deliver = deliver
        return response

    scenario.api.append(change)


def _streamed(scenario: Scenario, events: Callable[[], AsyncIterator[bytes]]) -> None:
    scenario.api.append(lambda _: Response(200, list(EVENT_STREAM), events()))


@broken(96, 107)
def cut_stream(scenario: Scenario) -> None:
    """TCP ends within the answer"""

    async def deliver(wire: Wire) -> None:
        whole = await wire.whole()
        await wire.send(whole[: len(whole) // 2])
        await wire.cut()

    _delivered(scenario, deliver)


@broken(96, 107)
def closed_within_the_stream(scenario: Scenario) -> None:
    """TLS ends politely within a chunked answer"""

    async def deliver(wire: Wire) -> None:
        whole = await wire.whole()
        await wire.send(whole[: len(whole) // 2])
        await wire.finish()

    _delivered(scenario, deliver)


@broken(14, 96)
def reset_instead_of_an_answer(scenario: Scenario) -> None:
    """the connection is reset once the prompt has come"""

    async def deliver(wire: Wire) -> None:
        await wire.reset()

    _delivered(scenario, deliver)


@broken(101, hangs=True)
def never_answers(scenario: Scenario) -> None:
    """the prompt is never answered"""

    async def deliver(wire: Wire) -> None:
        await wire.hang()

    _delivered(scenario, deliver)


@broken(99)
def answer_with_both_lengths(scenario: Scenario) -> None:
    """the answer has Content-Length and Transfer-Encoding"""

    async def deliver(wire: Wire) -> None:
        await wire.send(_CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n")

    _delivered(scenario, deliver)


@broken(99)
def answer_with_two_lengths(scenario: Scenario) -> None:
    """the answer has two lengths"""

    async def deliver(wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")

    _delivered(scenario, deliver)


@broken(101)
def answer_without_an_end_to_its_head(scenario: Scenario) -> None:
    """informational answers without end come before the answer"""

    async def deliver(wire: Wire) -> None:
        while True:
            await wire.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 64)

    _delivered(scenario, deliver)


@broken(99, 101)
def bad_chunks(scenario: Scenario) -> None:
    """the answer's chunks have lengths that are no numbers"""

    async def deliver(wire: Wire) -> None:
        await wire.send(_CHUNKED + b"\r\nzz\r\nhello\r\n")

    _delivered(scenario, deliver)


@broken(107)
def events_not_utf_8(scenario: Scenario) -> None:
    """the event stream is no UTF-8"""

    async def events() -> AsyncIterator[bytes]:
        yield event({"index": 0})
        yield b"data: \xff\xfe\n\n"

    _streamed(scenario, events)


@broken(107)
def endless_line(scenario: Scenario) -> None:
    """a line of the event stream does not end"""

    async def events() -> AsyncIterator[bytes]:
        yield b"data: "
        while True:
            yield b"x" * 65536

    _streamed(scenario, events)


@broken(107)
def ends_within_an_event(scenario: Scenario) -> None:
    """the event stream ends properly, but within an event"""

    async def events() -> AsyncIterator[bytes]:
        yield event({"index": 0})
        yield b'data: {"index":'

    _streamed(scenario, events)


@harmless(101)
def comments_in_crumbs(scenario: Scenario) -> None:
    """very many comments come before the events, and all of it in chunks of one byte"""

    async def events() -> AsyncIterator[bytes]:
        yield b":\n" * (_MANY // 2)
        yield event({"index": 0})

    _streamed(scenario, events)
    scenario.api.append(crumbled)


@harmless(101)
def empty_events(scenario: Scenario) -> None:
    """very many empty events come before those that are none"""

    async def events() -> AsyncIterator[bytes]:
        for _ in range(16):
            yield b"\n" * _MANY
        yield event({"index": 0})

    _streamed(scenario, events)


@harmless(101)
def answer_in_tiny_records(scenario: Scenario) -> None:
    """each byte of the answer comes in a TLS record of its own, many of them at once"""

    async def deliver(wire: Wire) -> None:
        whole = await wire.whole()
        for start in range(0, len(whole), _RECORDS_AT_ONCE):
            records = (bytes([byte]) for byte in whole[start : start + _RECORDS_AT_ONCE])
            await wire.send_together(*records)

    async def body() -> AsyncIterator[bytes]:
        yield b": \n\n" * (_MANY // 8)
        yield event({"index": 0})

    _streamed(scenario, body)
    _delivered(scenario, deliver)


@harmless(107)
def no_done_event(scenario: Scenario) -> None:
    """the event stream ends without [DONE]"""

    async def events() -> AsyncIterator[bytes]:
        yield event({"index": 0})

    _streamed(scenario, events)


@harmless(104, status=307)
def redirects(scenario: Scenario) -> None:
    """the prompt is redirected to another host"""
    scenario.api.append(lambda _: Response(307, [("Location", "https://other.example/v1")]))


@harmless(108)
def sets_cookies(scenario: Scenario) -> None:
    """the answer sets a cookie and names an alternative service"""

    def add(response: Response) -> Response:
        response.headers += [("Set-Cookie", "a=b"), ("Alt-Svc", 'h3="other.example:443"')]
        return response

    scenario.api.append(add)


@harmless(108, status=401)
def asks_for_credentials(scenario: Scenario) -> None:
    """the server asks for other credentials"""
    scenario.api.append(lambda _: Response(401, [("WWW-Authenticate", 'Basic realm="x"')]))


@harmless(116, status=500)
def error_with_control_characters(scenario: Scenario) -> None:
    """the server's error would repaint a terminal"""
    scenario.api.append(lambda _: error(500, "\x1b[2J\u202e gotcha", "server_error"))


@harmless(98)
def answer_behind_the_answer(scenario: Scenario) -> None:
    """a second answer waits behind the first, to be taken for that to the next prompt"""

    async def deliver(wire: Wire) -> None:
        forged = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
        await wire.send(await wire.whole() + forged)

    _delivered(scenario, deliver)
