"""A request that waits while what it was asked under is withdrawn: nothing of it is sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from ratls_ls import settings as settings_module
from ratls_ls.atls import client
from ratls_ls.atls.errors import Step
from ratls_ls.atls.pccs import CollateralStore
from ratls_ls.lsp import methods
from ratls_ls.rats.quote import CollateralKey
from ratls_ls.simulator import SimulatedProvider
from ratls_ls.simulator.collateral import TcbOptions, make_collateral
from ratls_ls.simulator.http import Response
from ratls_ls.simulator.pki import FMSPC, dcap_pki, web_ca
from ratls_ls.simulator.scenario import Scenario

from .world import World, a_world, held_until, play, refused, unanswered

PROMPT = {"input": "a secret prompt"}
MANUAL = {"trigger": "manual"}
DAY = 24 * 3600


@pytest.fixture
def settings(provider: SimulatedProvider, tmp_path: Path) -> dict[str, Any]:
    """Those under which `provider` is trusted, and contacted only when asked."""
    files = provider.write_files(tmp_path)
    return {
        "unsafeRootCa": [str(files.root_file)],
        "tls": {"caFile": str(files.ca_file)},
        "attestation": MANUAL,
    }


@pytest.fixture
async def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> AsyncIterator[World]:
    async with a_world(tmp_path, monkeypatch, settings=settings) as made:
        yield made


class Held:
    """Quote requests to a provider are answered once `gate` is set."""

    def __init__(self, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
        self._provider = provider
        self.gate = asyncio.Event()
        play(provider, monkeypatch, self._hold)

    def _hold(self, scenario: Scenario) -> None:
        scenario.quote.append(held_until(self.gate))

    async def prompt(self, world: World) -> asyncio.Future[Any]:
        """A prompt that waits for its connection to be attested."""
        waiting = asyncio.ensure_future(world.request(path="/responses", body=PROMPT))
        await self._provider.record.wait_for(
            lambda record: any(request.is_quote for request in record.requests)
        )
        return waiting


@pytest.fixture
def held(provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(provider, monkeypatch)


async def not_sent(waiting: Any, world: World, provider: SimulatedProvider) -> None:
    error = await refused(waiting)
    assert error.code == methods.UNREACHABLE
    assert error.data["host"] == "localhost"
    assert "changed" in error.message
    assert provider.record.api_bytes == 0
    # It says nothing about the provider.
    assert "unreachable" not in {status["state"] for status in world.told}
    await provider.record.wait_for(lambda record: all(known.closed for known in record.connections))


# By a change of the config.

WITHDRAWALS: dict[str, Callable[[str], str]] = {
    "another-pin": lambda text: text.replace('mrtd = "', 'mrtd = "' + 96 * "a" + '"#', 1),
    "not-attested": lambda text: text.replace("use_ratls = true", "use_ratls = false"),
    "with-an-error": lambda text: text.replace("use_ratls = true", 'use_ratls = "true"'),
    "another-host": lambda text: text.replace("localhost", "other.example"),
    "another-path": lambda text: text.replace("/v1", "/v2"),
    "another-credential": lambda text: text.replace("use_ratls", 'env_key = "PATH"\nuse_ratls'),
    "no-provider": lambda _: "",
}


def write(world: World, uri: str, text: str) -> None:
    """As another program does, while the client has it closed."""
    world.write(text)


def edit(world: World, uri: str, text: str) -> None:
    """As a user does who types and does not save."""
    world.session.open(uri, world.config.read_text("utf-8"), 1)
    world.session.change(uri, text, 2)


def edit_and_save(world: World, uri: str, text: str) -> None:
    world.session.open(uri, world.config.read_text("utf-8"), 1)
    world.save(uri, text)


@pytest.mark.parametrize("means", [write, edit, edit_and_save])
@pytest.mark.parametrize("change", WITHDRAWALS.values(), ids=WITHDRAWALS)
async def test_a_config(
    world: World,
    provider: SimulatedProvider,
    held: Held,
    change: Callable[[str], str],
    means: Callable[[World, str, str], None],
) -> None:
    text = provider.config_toml("tee")
    uri = world.write(text)
    waiting = await held.prompt(world)
    assert change(text) != text
    means(world, uri, change(text))
    held.gate.set()
    await not_sent(waiting, world, provider)


async def test_a_config_that_says_the_same_of_the_provider(
    world: World, provider: SimulatedProvider, held: Held
) -> None:
    """Be it again or still."""
    text = provider.config_toml("tee")
    uri = world.open(text)
    waiting = await held.prompt(world)
    world.session.change(uri, "", 2)
    world.session.change(uri, f"# a comment\n{text}\n[model_providers.other]\n", 3)
    renamed = text.replace('name = "', 'request_max_retries = 1\nname = "Our ')
    assert renamed != text
    world.session.change(uri, renamed, 4)
    held.gate.set()
    assert (await waiting)["status"] == 200


# By a change of the settings.


@pytest.mark.parametrize(
    "change",
    [
        {"attestation": {"requireSessionBinding": True, **MANUAL}},
        {"unsafeRootCa": []},
        {"tls": {}},
        {"codexHome": "/nowhere"},
    ],
    ids=str,
)
async def test_settings(
    world: World,
    provider: SimulatedProvider,
    held: Held,
    settings: dict[str, Any],
    change: dict[str, Any],
) -> None:
    world.write(provider.config_toml("tee"))
    waiting = await held.prompt(world)
    world.session.configure(settings_module.parse(settings | change))
    held.gate.set()
    await not_sent(waiting, world, provider)


async def test_settings_that_judge_the_same(
    world: World, provider: SimulatedProvider, held: Held, settings: dict[str, Any]
) -> None:
    world.write(provider.config_toml("tee"))
    waiting = await held.prompt(world)
    change = {"attestation": {"refreshMinutes": 1, **MANUAL}, "audit": {"enabled": True}}
    world.session.configure(settings_module.parse(settings | change))
    held.gate.set()
    assert (await waiting)["status"] == 200
    assert [status["state"] for status in await world.statuses()] == ["affirmed"]


# By what a file that is trusted holds.

ROOTS = {
    "web-ca.pem": lambda: web_ca("Another CA").pem,
    "dcap-root.pem": lambda: dcap_pki("Another SGX Root CA").root.pem,
}


@pytest.mark.parametrize("name", ROOTS)
async def test_a_root(world: World, provider: SimulatedProvider, held: Held, name: str) -> None:
    world.write(provider.config_toml("tee"))
    waiting = await held.prompt(world)
    (world.home / name).write_bytes(ROOTS[name]())
    held.gate.set()
    assert (await refused(waiting)).code in (methods.UNREACHABLE, methods.ATTESTATION_REJECTED)
    assert provider.record.api_bytes == 0


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("web-ca.pem", methods.UNREACHABLE),
        ("dcap-root.pem", methods.ATTESTATION_REJECTED),
    ],
)
async def test_no_connection_outlives_a_root(
    world: World, provider: SimulatedProvider, name: str, code: int, gone: bool
) -> None:
    """Nor does it stay refused when that is trusted again."""
    world.write(provider.config_toml("tee"))
    assert (await world.request())["status"] == 200
    assert (await world.request())["timings"]["reusedConnection"]
    await world.session.attest(None, "tee")
    sent, file = provider.record.api_bytes, world.home / name
    trusted = file.read_bytes()
    if gone:
        file.unlink()
    else:
        file.write_bytes(ROOTS[name]())
    assert (await refused(world.request())).code == code
    assert provider.record.api_bytes == sent
    file.write_bytes(trusted)
    assert not (await world.request())["timings"]["reusedConnection"]


# At other moments.


async def test_a_host_is_not_contacted_again(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RETRY_SECONDS", 0.05)
    text = provider.config_toml("tee")
    world.write(text)
    provider.set_faults(["reset-after-accept"])
    waiting = asyncio.ensure_future(world.request(path="/responses", body=PROMPT))
    await provider.record.wait_for(lambda record: len(record.connections) == 1)
    world.write(WITHDRAWALS["another-host"](text))
    provider.set_faults()
    error = await refused(waiting)
    assert (error.code, error.data) == (
        methods.UNREACHABLE,
        {"step": Step.DNS.value, "host": "localhost"},
    )
    assert len(provider.record.connections) == 1


async def test_in_the_queue(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is being answered goes on."""
    monkeypatch.setattr(client, "MAX_CONNECTIONS", 1)
    text = provider.config_toml("tee")
    world.write(text)
    first = await world.held_request()
    waiting = asyncio.ensure_future(world.request(path="/responses", body=PROMPT))
    await asyncio.sleep(0)
    world.write(WITHDRAWALS["another-pin"](text))
    provider.gate.set()
    assert (await first)["complete"] is True
    assert (await refused(waiting)).code == methods.UNREACHABLE
    assert provider.record.prompt_bytes == 0


async def renewal(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch, text: str
) -> asyncio.Task[Any]:
    """Of the collateral for `provider`, under way and not answered."""
    url, now = provider.pccs_url, int(time.time())
    ending = make_collateral(dcap_pki(), now - 27 * DAY, TcbOptions())
    kept = CollateralStore(world.home / ".cache" / "ratls-ls")
    kept.keep(url, CollateralKey(FMSPC, "platform"), ending, None, durable=True)
    play(
        provider,
        monkeypatch,
        lambda scenario: scenario.pccs.append(lambda *_: unanswered(Response())),
    )
    uri = world.open(text)
    await world.session.attest(uri, "tee")
    await provider.record.wait_for(lambda record: record.pccs_targets)
    (task,) = [task for task in asyncio.all_tasks() if "Store._renew" in str(task.get_coro())]
    return task


@pytest.mark.parametrize("withdrawn", ["its PCCS", "the provider"])
async def test_a_renewal_of_collateral_ends_with_what_it_is_for(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch, withdrawn: str
) -> None:
    text = provider.config_toml("tee")
    running = await renewal(world, provider, monkeypatch, text)
    other = text.replace(provider.pccs_url, "https://other.example")
    world.session.change(world.config.as_uri(), other if withdrawn == "its PCCS" else "", 2)
    async with asyncio.timeout(5):
        await asyncio.wait([running])
    assert running.cancelled()


async def test_a_renewal_of_collateral_goes_on_while_anybody_has_its_pccs(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = provider.config_toml("tee")
    running = await renewal(world, provider, monkeypatch, text)
    edited = text.replace('["UpToDate"]', '["UpToDate", "SWHardeningNeeded"]')
    world.session.change(world.config.as_uri(), edited, 2)
    assert not running.cancelling()
