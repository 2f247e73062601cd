"""The client's handshake and what runs on it, against real servers on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from ratls_ls.atls import network, tls
from ratls_ls.atls.errors import Step, UnreachableError
from ratls_ls.atls.tls import TlsStream, connect_tls
from ratls_ls.simulator.listener import Accepted, Listener
from ratls_ls.simulator.pki import web_ca, web_leaf
from ratls_ls.simulator.tls import ServerStream, TlsOptions, accept_tls


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    file.write_bytes(web_ca().pem)
    return file


@asynccontextmanager
async def serving(
    *names: str, sessions: list[ServerStream] | None = None
) -> AsyncIterator[Listener]:
    """A TLS server with a certificate for `names`, which sends what it gets back."""
    options = TlsOptions(web_leaf(web_ca(), names=names or ("localhost",)))

    async def handle(channel: Accepted) -> None:
        stream = await accept_tls(channel, options)
        if sessions is not None:
            sessions.append(stream)
        while data := await stream.read(1024):
            await stream.write(data)

    listener = Listener(handle)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop()


async def connect(address: str, port: int, host: str, ca_file: Path) -> TlsStream:
    return await connect_tls(await network.connect(address, port), host, [ca_file])


@pytest.mark.parametrize("turns", range(5))
async def test_what_was_only_just_accepted_ends_with_its_listener(turns: int) -> None:
    """However far the event loop, which takes several turns over it, has got."""

    async def handle(channel: Accepted) -> None:
        await channel.receive()

    listener = Listener(handle)
    await listener.start()
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as client:
        for _ in range(turns):
            await asyncio.sleep(0)
        await listener.stop()
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""


async def test_a_connection_ends_with_what_handles_it_however_that_ends() -> None:
    async def handle(channel: Accepted) -> None:
        raise ValueError(channel)

    listener = Listener(handle)
    await listener.start()
    try:
        channel = await network.connect("127.0.0.1", listener.port)
        assert await asyncio.wait_for(channel.receive(), 5) == b""
        channel.close()
    finally:
        await listener.stop()


async def test_both_ends_export_the_same_value_and_no_two_sessions_do(ca_file: Path) -> None:
    sessions: list[ServerStream] = []
    async with serving(sessions=sessions) as server:
        values = []
        for _ in range(2):
            stream = await connect("127.0.0.1", server.port, "localhost", ca_file)
            await stream.write(b"x")
            await stream.read(1)
            assert stream.version == "TLSv1.3"
            assert stream.verified_host == "localhost"
            assert stream.export() == sessions[-1].export()
            assert len(stream.export()) == 32
            values.append(stream.export())
            stream.close()
        assert values[0] != values[1]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_an_address_is_verified_as_an_address(address: str, ca_file: Path) -> None:
    async with serving("localhost") as server:
        stream = await connect(address, server.port, address, ca_file)
        assert stream.verified_host == address
        stream.close()
    async with serving("server.example") as server:
        with pytest.raises(UnreachableError) as caught:
            await connect(address, server.port, address, ca_file)
        assert "is not for" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "host", "fits"),
    [
        ("*.tee.example", "a.tee.example", True),
        ("*.tee.example", "tee.example", False),
        ("*.tee.example", "a.b.tee.example", False),
        ("tee.example", "TEE.example", True),
        ("tee.example", "xtee.example", False),
        ("xn--bcher-kva.example", "xn--bcher-kva.example", True),
        # Names in Unicode are mapped by no one: IDNA 2003 and 2008 do not agree on whose they are.
        ("xn--bcher-kva.example", "bücher.example", False),
    ],
)
async def test_names(name: str, host: str, fits: bool, ca_file: Path) -> None:
    async with serving(name) as server:
        if fits:
            (await connect("127.0.0.1", server.port, host, ca_file)).close()
            return
        with pytest.raises(UnreachableError) as caught:
            await connect("127.0.0.1", server.port, host, ca_file)
        assert caught.value.step is Step.TLS


async def test_no_session_is_resumed(ca_file: Path) -> None:
    """A resumed session shows the certificate of the one before."""
    sessions: list[ServerStream] = []
    async with serving(sessions=sessions) as server:
        for _ in range(2):
            stream = await connect("127.0.0.1", server.port, "localhost", ca_file)
            await stream.write(b"x")
            await stream.read(1)
            stream.close()
    context = tls.client_context((ca_file,))
    assert context.get_session_cache_mode() == SSL.SESS_CACHE_OFF
    assert [session.version for session in sessions] == ["TLSv1.3"] * 2


async def test_keys_are_logged_nowhere(
    ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    tls._client_context.cache_clear()
    async with serving() as server:
        (await connect("127.0.0.1", server.port, "localhost", ca_file)).close()
    assert not log.exists()


async def test_a_certificate_that_is_not_trusted_says_what_to_do(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(web_ca("Another CA").pem)
    async with serving() as server:
        with pytest.raises(UnreachableError) as caught:
            await connect("127.0.0.1", server.port, "localhost", other)
    assert "name its CA with --ca-file, in an editor with the setting tls.caFile" in str(
        caught.value
    )


async def test_a_root_that_is_taken_out_of_its_file_is_trusted_no_longer(ca_file: Path) -> None:
    other = web_ca("Another CA").pem
    async with serving() as server:
        (await connect("127.0.0.1", server.port, "localhost", ca_file)).close()
        ca_file.write_bytes(other)
        with pytest.raises(UnreachableError) as caught:
            await connect("127.0.0.1", server.port, "localhost", ca_file)
    assert "tls.caFile" in str(caught.value)


async def test_what_waits_behind_an_answer_is_seen_wherever_it_waits(ca_file: Path) -> None:
    sessions: list[ServerStream] = []
    async with serving(sessions=sessions) as server:
        stream = await connect("127.0.0.1", server.port, "localhost", ca_file)
        await stream.write(b"answer")
        assert await stream.read(6) == b"answer"
        assert not await stream.has_unread()
        await sessions[0].write(b"more")
        async with asyncio.timeout(5):
            while not await stream.has_unread():  # noqa: ASYNC110 (it is what is tested)
                await asyncio.sleep(0)
        assert stream.idle_is_broken
        assert await stream.read(4) == b"more"
        stream.close()


async def test_a_record_that_has_begun_is_waited_for(ca_file: Path) -> None:
    """For what it is shows at its end only."""
    sessions: list[ServerStream] = []
    async with serving(sessions=sessions) as server:
        stream = await connect("127.0.0.1", server.port, "localhost", ca_file)
        await stream.write(b"answer")
        assert await stream.read(6) == b"answer"
        assert not stream.idle_is_broken
        await sessions[0].write_together(b"last", b"more", held_back=3)
        assert await stream.read(4) == b"last"
        assert stream.idle_is_broken
        waiting = asyncio.ensure_future(stream.has_unread())
        assert not (await asyncio.wait([waiting], timeout=0.05))[0]
        await sessions[0].write(b"end")  # in place of its last bytes: it can no longer be read
        assert await waiting
        stream.close()


@pytest.mark.parametrize("pieces", [1, 2, 3, 5, 6, 1000])
def test_where_records_end(pieces: int) -> None:
    """However they arrive."""
    wire = b"".join(b"\x17\x03\x03" + size.to_bytes(2, "big") + bytes(size) for size in (0, 1, 300))
    ends = {5, 11, 316}
    records, taken = tls._Records(), 0
    assert records.none_begun
    while taken < len(wire):
        piece = wire[taken : taken + pieces]
        records.take(piece)
        taken += len(piece)
        assert records.none_begun == (taken in ends)


class Flood:
    """A channel in which bytes always wait, and a session that finds nothing in them."""

    waiting = True

    def __init__(self) -> None:
        self.most: set[int | None] = set()

    async def receive(self, most: int | None = None) -> bytes:
        self.most.add(most)
        return b"\x17\x03\x03\0\0"

    def recv(self, *_: int) -> bytes:
        for _ in range(1000):
            hashlib.sha384(b"as a key update").digest()
        raise SSL.WantReadError

    do_handshake = recv
    bio_read = recv

    def bio_write(self, data: bytes) -> int:
        return len(data)


@pytest.mark.parametrize("reading", ["handshake", "read", "has_unread"])
async def test_records_that_say_nothing_leave_others_their_turn(reading: str) -> None:
    flood: Any = Flood()
    stream = TlsStream(flood, flood)
    arguments = [1] if reading == "read" else []
    task = asyncio.ensure_future(getattr(stream, reading)(*arguments))
    longest = 0.0
    for _ in range(20):
        before = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - before)
    task.cancel()
    assert (await asyncio.gather(task, return_exceptions=True))[0] is not None
    assert longest < 0.5
    assert flood.most == {16 * 1024 + 256 + 5}


async def test_an_end_without_close_notify_is_no_end_of_data(ca_file: Path) -> None:
    sessions: list[ServerStream] = []
    async with serving(sessions=sessions) as server:
        stream = await connect("127.0.0.1", server.port, "localhost", ca_file)
        await stream.write(b"x")
        assert await stream.read(1) == b"x"
        sessions[0].cut()
        with pytest.raises(ConnectionResetError):
            await stream.read(1)
        stream.close()
