"""The clients in use, and what becomes of those that are not."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ratls_ls.atls import clients as clients_module
from ratls_ls.atls.client import AttestedClient
from ratls_ls.atls.clients import Clients
from ratls_ls.atls.errors import (
    AttestationRejectedError,
    BrokenResponseError,
    UnreachableError,
    WithdrawnError,
)
from ratls_ls.atls.pccs import CollateralStore
from ratls_ls.atls.request import RequestParameters, prepare
from ratls_ls.atls.verifier import Verifier, build_verifier
from ratls_ls.config.model import Provider
from ratls_ls.config.read import read
from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.policy import AppraisalPolicy
from ratls_ls.rats.quote import CollateralKey
from ratls_ls.simulator import FAULTS, SimulatedProvider, serve

LARGE_BYTES = 64 * 1024


def trusting(provider: SimulatedProvider, home: Path) -> Verifier:
    files = provider.write_files(home)
    return build_verifier(
        ca_files=[files.ca_file],
        unsafe_root_ca=[files.root_file],
        environment={},
        cache_directory=home,
    )


def clients(provider: SimulatedProvider, home: Path) -> tuple[Clients, list[Attestation]]:
    verifier = trusting(provider, home)
    attested: list[Attestation] = []
    return Clients(verifier, lambda _, attestation: attested.append(attestation)), attested


def configured(provider: SimulatedProvider, **policy: object) -> Provider:
    found = read(provider.config_toml("tee", **policy)).providers["tee"].provider
    assert found is not None
    return found


async def test_the_least_recently_used_is_retired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients_module, "MAX_CLIENTS", 2)
    async with serve() as provider:
        known, _ = clients(provider, tmp_path)
        one, two, three = (configured(provider, grace_period=number) for number in (1, 2, 3))
        first, second = known.get(one), known.get(two)
        await first.attest()
        await second.attest()
        assert known.get(one) is first
        known.get(three)
        await provider.record.wait_for(lambda record: record.connections[1].closed)
        assert not provider.record.connections[0].closed
        assert known.get(two) is not second
        await known.aclose()


async def test_a_connection_grows_old_while_the_machine_sleeps(tmp_path: Path) -> None:
    """Which one of the clocks does not see."""
    ahead = 0.0
    async with serve() as provider:
        tee, verifier = configured(provider), trusting(provider, tmp_path)
        client = AttestedClient(tee, replace(verifier, clock=lambda: time.time() + ahead))

        async def reused() -> bool:
            request = prepare(tee, RequestParameters("/models"), {})
            async with client.send(request, timeout_seconds=20) as response:
                assert [chunk async for chunk in response.chunks()]
                return response.timings.reused

        assert not await reused()
        ahead = -verifier.max_age_seconds
        assert await reused()
        ahead = verifier.max_age_seconds + 1
        assert not await reused()
        await client.attest()
        ahead *= 2
        assert not await reused()
        await client.aclose()


@pytest.mark.parametrize("sent", ["nothing", "its head"])
async def test_what_is_withdrawn_says_whether_anything_was_sent(tmp_path: Path, sent: str) -> None:
    async with serve() as provider:
        tee = configured(provider)
        client = AttestedClient(tee, trusting(provider, tmp_path))
        await client.attest()
        asked = RequestParameters("/responses", method="POST", body=bytes(LARGE_BYTES))
        meant = iter([sent == "its head", False])
        with pytest.raises(WithdrawnError) as caught:
            async with client.send(prepare(tee, asked, {}), 20, lambda: next(meant)):
                pass
        assert ("was not sent" in str(caught.value)) is (sent == "nothing")
        await provider.record.wait_for(lambda record: record.connections[0].closed)
        assert bool(provider.record.api_bytes) is (sent == "its head")
        assert provider.record.api_bytes < LARGE_BYTES
        await client.aclose()


async def test_what_is_attested_after_it_was_retired_is_closed(tmp_path: Path) -> None:
    async with serve() as provider:
        known, attested = clients(provider, tmp_path)
        tee = configured(provider)
        running = asyncio.ensure_future(known.get(tee).attest())
        await provider.record.wait_for(lambda record: bool(record.connections))
        known.retire(tee.peer)
        assert (await running).result.affirmed
        assert len(attested) == 1
        await provider.record.wait_for(lambda record: record.connections[0].closed)


async def test_what_is_attested_while_all_is_closed_is_closed(tmp_path: Path) -> None:
    async with serve() as provider:
        known, _ = clients(provider, tmp_path)
        running = asyncio.ensure_future(known.get(configured(provider)).attest())
        await provider.record.wait_for(lambda record: bool(record.connections))
        await known.aclose()
        await asyncio.wait([running])
        await provider.record.wait_for(lambda record: record.connections[0].closed)


def test_only_the_other_end_and_its_policy_make_a_peer() -> None:
    tee = Provider("tee", "https://Tee.example/v1", AppraisalPolicy())
    same = Provider("x", "https://tee.example:443/v2", AppraisalPolicy(), name="x", env_key="KEY")
    assert (tee.peer, hash(tee.peer)) == (same.peer, hash(same.peer))
    assert tee.origin == "https://tee.example:443"
    for other in (
        Provider("tee", "https://tee.example:444/v1", AppraisalPolicy()),
        Provider("tee", "https://other.example/v1", AppraisalPolicy()),
        Provider("tee", "https://tee.example/v1", AppraisalPolicy(grace_period=1)),
        Provider("tee", "https://tee.example/v1", AppraisalPolicy(), "https://pccs.example"),
    ):
        assert other.peer != tee.peer


@pytest.mark.parametrize("fault", [fault.name for fault in FAULTS.values() if not fault.hangs])
async def test_nothing_large_waits_for_the_garbage_collector(fault: str, tmp_path: Path) -> None:
    """Neither what a server sent nor a prompt: until it comes, there may be more than memory."""
    async with serve(faults=[fault]) as provider:
        known, attested = clients(provider, tmp_path)
        tee = configured(provider)
        asked = RequestParameters("/chat/completions", method="POST", body=bytes(2 * LARGE_BYTES))
        request = replace(prepare(tee, asked, {}), retries=1)

        async def use(client: AttestedClient) -> None:
            with suppress(AttestationRejectedError, UnreachableError):
                await client.attest()
            with suppress(AttestationRejectedError, UnreachableError, BrokenResponseError):
                async with client.send(request, timeout_seconds=20) as response:
                    async for _ in response.chunks():
                        pass
            await known.aclose()

        assert await large_garbage_of(use(known.get(tee))) == []
        for attestation in attested:
            if isinstance(error := attestation.evidence, Exception):
                assert (error.__traceback__, error.__context__) == (None, None)


async def test_documents_of_a_pccs_do_not_wait_either() -> None:
    """Those that came while another did not."""
    taken = asyncio.Semaphore(0)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"/rootcacrl" in await reader.readuntil(b"\r\n\r\n"):
            for _ in range(3):
                await taken.acquire()
            writer.write(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
        else:
            size = 2 * LARGE_BYTES
            head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
            writer.write(head.encode() + bytes(size))
            await reader.read()  # it closes when it has all
            taken.release()
        writer.close()

    async def fetch(url: str) -> None:
        with pytest.raises(UnreachableError, match="404"):
            await CollateralStore(None).get(url, CollateralKey("00806f050000", "platform"), 0)

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        assert await large_garbage_of(fetch(f"http://127.0.0.1:{port}/tdx/certification/v4")) == []


async def large_garbage_of(work: Coroutine[Any, Any, None]) -> list[str]:
    """What holds something large, and only waits to be collected, after this work."""
    gc.freeze()  # what was there before is not looked at
    gc.disable()
    try:
        await asyncio.create_task(work)  # the event loop holds what it does right now
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return [
            f"{type(held).__qualname__} {getattr(held, 'f_code', '')}"
            for held in gc.garbage
            for part in gc.get_referents(held)
            if isinstance(part, bytes | bytearray | str) and sys.getsizeof(part) > LARGE_BYTES
        ]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
