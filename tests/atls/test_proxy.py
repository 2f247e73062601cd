"""The user's proxy: what it sees, and what it cannot do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from ratls_ls.atls import pccs, proxy
from ratls_ls.atls.errors import Step, UnreachableError, WithdrawnError
from ratls_ls.rats.quote import CollateralKey

KEY = CollateralKey("00806F050000", "platform")


@dataclass
class Seen:
    """What a proxy was asked for, and every byte that came after its answer."""

    port: int = 0
    asked: bytes = b""
    carried: bytearray = field(default_factory=bytearray)


@asynccontextmanager
async def proxying(answer: bytes) -> AsyncIterator[Seen]:
    """A proxy on loopback that answers CONNECT so, then sends everything back."""
    seen = Seen()
    gone = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen.asked = await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            while data := await reader.read(1024):
                seen.carried += data
                writer.write(data)
        except ConnectionError:
            pass  # a client that refuses the tunnel resets it
        finally:
            writer.close()
            gone.set()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    seen.port = server.sockets[0].getsockname()[1]
    async with server:
        yield seen
        if seen.asked:
            await gone.wait()


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return lambda url: monkeypatch.setenv("HTTPS_PROXY", url)


async def test_a_tunnel(use: Callable[[str], None]) -> None:
    async with proxying(b"HTTP/1.1 200 Connection established\r\n\r\n") as seen:
        use(f"http://user:p%40ss@127.0.0.1:{seen.port}")
        steps: list[Step] = []
        channel = await proxy.connect("tee.example", 443, steps.append)
        assert list(dict.fromkeys(steps)) == [Step.DNS, Step.TCP]
        await channel.send(b"client hello")
        assert await channel.receive() == b"client hello"
        channel.close()
    head, *lines = seen.asked.split(b"\r\n")
    assert head == b"CONNECT tee.example:443 HTTP/1.1"
    assert b"Host: tee.example:443" in lines
    assert b"Proxy-Authorization: Basic dXNlcjpwQHNz" in lines
    assert bytes(seen.carried) == b"client hello"


async def test_no_tunnel_is_asked_for_against_the_word_of_who_asked(
    use: Callable[[str], None],
) -> None:
    asked: list[bytes] = []
    heard = asyncio.Event()
    steps: list[Step] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            asked.append(await reader.read(1024))
        writer.close()
        heard.set()

    def twice(step: Step) -> None:
        if step in steps:
            raise WithdrawnError(step, "tee.example", "not meant any more")
        steps.append(step)

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        use(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(WithdrawnError):
            await proxy.connect("tee.example", 443, twice)
        await heard.wait()
    assert b"".join(asked) == b""


@pytest.mark.parametrize(
    ("written", "token"),
    [
        ("us%C3%A9r:p", b"dXPDqXI6cA=="),
        ("us\u00e9r:p", b"dXPDqXI6cA=="),
        ("us%E9r:%FF", b"dXPpcjr/"),
        ("user", b"dXNlcjo="),
    ],
)
async def test_credentials_of_any_letters(
    use: Callable[[str], None], written: str, token: bytes
) -> None:
    async with proxying(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as seen:
        use(f"http://{written}@127.0.0.1:{seen.port}")
        with pytest.raises(UnreachableError):
            await proxy.connect("tee.example", 443)
    assert b"Proxy-Authorization: Basic " + token in seen.asked.split(b"\r\n")
    async with proxying(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as seen:
        use(f"http://{written}@127.0.0.1:{seen.port}")
        with pytest.raises(UnreachableError, match="407"):
            await pccs.fetch("https://pccs.example", KEY)
    assert b"Proxy-Authorization: Basic " + token in seen.asked.split(b"\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://other.example\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nforged server hello",
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 65536,
    ],
    ids=["407", "redirect", "bytes-before-the-handshake", "no-http", "endless-head"],
)
async def test_no_tunnel(answer: bytes, use: Callable[[str], None]) -> None:
    async with proxying(answer) as seen:
        use(f"http://user:secret@127.0.0.1:{seen.port}")
        with pytest.raises(UnreachableError) as caught:
            await proxy.connect("tee.example", 443)
    assert caught.value.step is Step.TCP
    assert "secret" not in str(caught.value)
    assert not seen.carried


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example:443",
        "socks5://127.0.0.1:1",
        "http://:1",
        "http://[::1",
        "http://proxy.example:x",
        "http://proxy.example:99999",
    ],
)
def test_proxies_that_cannot_be_used(url: str, use: Callable[[str], None]) -> None:
    use(url)
    with pytest.raises(UnreachableError):
        proxy.proxy_for("tee.example")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "inside.example"])
def test_hosts_that_are_not_proxied(
    host: str, use: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    use("http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert proxy.proxy_for(host) is None
    assert proxy.proxy_for("outside.example") is not None


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "64:ff9b::a9fe:a9fe", "metadata.google.internal"]
)
async def test_a_proxy_is_not_sent_to_forbidden_hosts(
    host: str, use: Callable[[str], None]
) -> None:
    async with proxying(b"HTTP/1.1 200 OK\r\n\r\n") as seen:
        use(f"http://127.0.0.1:{seen.port}")
        with pytest.raises(UnreachableError):
            await proxy.connect(host, 443)
    assert seen.asked == b""
