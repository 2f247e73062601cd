"""What a server or a PCCS may send as HTTP: any bytes give typed errors only, in bounded time."""

# ruff: noqa: PT017 (an error is one of two right outcomes)

from __future__ import annotations

import asyncio
from functools import cache

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratls_ls.atls import pccs
from ratls_ls.atls.errors import Step, UnreachableError
from ratls_ls.rats.collateral import Collateral
from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.quote import CollateralKey
from ratls_ls.simulator import serve
from ratls_ls.simulator.listener import Accepted, Listener
from ratls_ls.simulator.pki import FMSPC
from tests.atls.test_attester import BODY, GOOD, REFUSED, Script, answer

MANY = settings(max_examples=150, suppress_health_check=list(HealthCheck))
FEW = settings(MANY, max_examples=25)
KEY = CollateralKey(FMSPC, "platform")
HEADS = st.lists(
    st.sampled_from(
        [
            "Content-Length: 0",
            "Content-Length: 5",
            "Content-Length: +5",
            "Content-Length: 5, 5",
            f"Content-Length: {len(BODY)}",
            "Content-Length: 99999999999999999999",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: gzip, chunked",
            "Content-Encoding: gzip",
            "Connection: close",
            "Connection: upgrade",
            " folded",
            "X: \0",
        ]
    ),
    max_size=4,
)
STATUSES = st.sampled_from(["200 OK", "100 Continue", "103 Hints", "204 No", "304 Not", "99 ?", ""])


@st.composite
def answers(draw: st.DrawFn, good: tuple[bytes, ...]) -> bytes:
    """HTTP, more or less."""
    kind = draw(st.sampled_from(["bytes", "edited", "built"]))
    if kind == "bytes":
        return draw(st.binary(max_size=300))
    if kind == "built":
        head = draw(HEADS)
        body = draw(st.sampled_from([BODY, b"", b"5\r\nhello\r\n0\r\n\r\n", b"zz\r\n"]))
        return answer(body, *(head or ["X: y"]), status=draw(STATUSES))
    made = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(made)))
        made[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return bytes(made)


@MANY
@given(st.lists(answers((GOOD, REFUSED)), max_size=3), st.booleans())
def test_any_quote_answer(parts: list[bytes], unread: bool) -> None:
    try:
        evidence, nonce = asyncio.run(Script(*parts, unread=unread).ask())
        assert isinstance(evidence, Evidence)
        assert len(nonce) == 32
        assert not unread
    except (EvidenceError, UnreachableError) as error:
        assert str(error)


@FEW
@given(st.data())
def test_any_pccs_answer(data: st.DataObject) -> None:
    good = good_documents()
    sent = {
        name: data.draw(st.just(document) | answers((document,))) for name, document in good.items()
    }
    try:
        assert isinstance(asyncio.run(_fetch(sent)), Collateral)
    except UnreachableError as error:
        assert error.step is Step.PCCS
        assert "127.0.0.1" in str(error)


def test_the_documents_as_they_are_make_collateral() -> None:
    assert isinstance(asyncio.run(_fetch(good_documents())), Collateral)


async def _fetch(documents: dict[str, bytes]) -> Collateral:
    """From a PCCS that answers each request with the bytes for its path, and then ends."""

    async def handle(channel: Accepted) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (data := await channel.receive()):
            head += data
        target = head.split(b" ", 2)[1].decode()
        await channel.send(documents[target.partition("?")[0].rpartition("/")[2]])
        channel.finish()

    listener = Listener(handle)
    await listener.start()
    try:
        return await pccs.fetch(f"http://127.0.0.1:{listener.port}/tdx/certification/v4", KEY)
    finally:
        await listener.stop()


@cache
def good_documents() -> dict[str, bytes]:
    """The four answers of a PCCS, whole, by the last part of their path."""

    async def record() -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        async with serve() as provider, httpx.AsyncClient() as http:
            await pccs.fetch(provider.pccs_url, KEY)
            for target in set(provider.record.pccs_targets):
                url = httpx.URL(provider.pccs_url).join(target)
                response = await http.get(url)
                length = f"Content-Length: {len(response.content)}"
                head = [f"{k}: {v}" for k, v in response.headers.items() if k.endswith("-chain")]
                found[url.path.rpartition("/")[2]] = answer(response.content, length, *head)
        return found

    return asyncio.run(record())
