"""The clients in use, and what becomes of those that are not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ratls_ls.atls import clients as clients_module
from ratls_ls.atls.clients import Clients
from ratls_ls.atls.verifier import build_verifier
from ratls_ls.config.model import Provider
from ratls_ls.config.read import read
from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.policy import AppraisalPolicy
from ratls_ls.simulator import SimulatedProvider, serve


def clients(provider: SimulatedProvider, home: Path) -> tuple[Clients, list[Attestation]]:
    files = provider.write_files(home)
    verifier = build_verifier(
        ca_files=[files.ca_file],
        unsafe_root_ca=[files.root_file],
        environment={},
        cache_directory=home,
    )
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
