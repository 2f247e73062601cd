"""Which addresses are contacted, and how long that is tried."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from ratls_ls.atls import network
from ratls_ls.atls.errors import Step, UnreachableError, WithdrawnError


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "2852039166"])
async def test_other_spellings_of_a_forbidden_address_are_no_way_around(host: str) -> None:
    with pytest.raises(UnreachableError) as caught:
        await network.connect(host, 443)
    assert caught.value.step is Step.DNS


async def test_a_name_that_is_none() -> None:
    with pytest.raises(UnreachableError) as caught:
        await network.connect("no-such-host.invalid", 443)
    assert caught.value.step is Step.DNS
    assert "base_url" in str(caught.value)


async def test_the_other_address_is_tried(unused_tcp_port: int) -> None:
    with pytest.raises(UnreachableError) as caught:
        await network.connect("localhost", unused_tcp_port)
    assert caught.value.step is Step.TCP


async def test_no_other_address_is_contacted_against_the_word_of_who_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def addresses(*_: Any) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    def twice(step: Step) -> None:
        if step in steps:
            raise WithdrawnError(step, "tee.example", "not meant any more")
        steps.append(step)

    contacts: list[Any] = []
    steps: list[Step] = []
    monkeypatch.setattr(network, "resolve", addresses)
    server = await asyncio.start_server(lambda *streams: contacts.append(streams), "127.0.0.1", 0)
    async with server:
        with pytest.raises(WithdrawnError):
            await network.connect("tee.example", server.sockets[0].getsockname()[1], twice)
    assert steps == [Step.DNS, Step.TCP]
    assert not contacts


async def test_who_accepts_nobody_is_not_waited_for_long(
    full_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "CONNECT_SECONDS", 0.2)
    with pytest.raises(UnreachableError) as caught:
        await network.connect("127.0.0.1", full_port)
    assert caught.value.step is Step.TCP
    assert str(caught.value) == f"127.0.0.1:{full_port} did not answer within 0.2 s"


async def test_what_was_said_before_the_end_is_read_where_writing_finds_that_first() -> None:
    """As by a server that answers and ends while a long body is still on its way."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        channel = await network.connect("127.0.0.1", server.getsockname()[1])
        peer, _ = server.accept()
    channel.write(b"unread, so that the end is a reset")
    peer.sendall(b"answer")
    peer.close()
    channel.write(b"more of it")  # the kernel tells of the end here
    with pytest.raises(ConnectionResetError):
        channel.write(b"and more")
    assert await channel.receive(4) == b"answ"
    assert await channel.receive() == b"er"
    with pytest.raises(ConnectionResetError):
        await channel.receive()
    channel.close()


async def test_a_look_up_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up_for_ever(*_: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(network, "resolve", look_up_for_ever)
    monkeypatch.setattr(network, "CONNECT_SECONDS", 0.05)
    with pytest.raises(UnreachableError) as caught:
        await network.connect("tee.example", 443)
    assert caught.value.step is Step.DNS
    assert str(caught.value) == "cannot resolve tee.example within 0.05 s"
