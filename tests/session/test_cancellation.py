"""A request that is cancelled, or out of time, at every stage that it can be in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ratls_ls.atls import client, network
from ratls_ls.atls.errors import Step
from ratls_ls.lsp import methods
from ratls_ls.simulator import Record, SimulatedProvider
from ratls_ls.simulator.http import Response, Wire
from ratls_ls.simulator.listener import Accepted
from ratls_ls.simulator.scenario import Scenario

from .world import World, hanging, play, refused, unanswered

PROMPT = {"input": "a secret prompt"}


async def _hang_before_tls(channel: Accepted) -> None:
    while await channel.receive():
        pass


async def _hang_in_body(wire: Wire) -> None:
    whole = await wire.whole()
    await wire.send(whole[:-1])
    await wire.hang()


def _tls(scenario: Scenario) -> None:
    scenario.accept = _hang_before_tls


def _pccs(scenario: Scenario) -> None:
    scenario.pccs.append(lambda _, response: unanswered(response))


def _head(scenario: Scenario) -> None:
    scenario.api.append(unanswered)


def _body(scenario: Scenario) -> None:
    def hang_in_body(response: Response) -> Response:
        response.deliver = _hang_in_body
        return response

    scenario.api.append(hang_in_body)


@dataclass(frozen=True)
class Stage:
    """`reached` tells by what the provider recorded that the request hangs there."""

    name: str
    play: Callable[[Scenario], None]
    reached: Callable[[Record], bool]
    code: int = methods.UNREACHABLE


def _has_request(record: Record, *, is_quote: bool) -> bool:
    return any(request.size and request.is_quote is is_quote for request in record.requests)


STAGES = [
    Stage("tls", _tls, lambda record: len(record.connections) == 1),
    Stage("quote", hanging, lambda record: _has_request(record, is_quote=True)),
    Stage("pccs", _pccs, lambda record: len(record.pccs_targets) > 0),
    Stage("head", _head, lambda record: _has_request(record, is_quote=False), -32015),
    Stage("body", _body, lambda record: _has_request(record, is_quote=False), -32015),
]
BY_NAME = [pytest.param(stage, id=stage.name) for stage in STAGES]


async def _sound(world: World, provider: SimulatedProvider) -> None:
    """Every socket is closed and nothing of it is used again: the next request is attested."""
    await provider.record.wait_for(lambda record: all(known.closed for known in record.connections))
    provider.set_faults()
    result = await world.request(path="/responses", body=PROMPT)
    assert (result["status"], result["timings"]["reusedConnection"]) == (200, False)


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("stage", BY_NAME)
async def test_cancelled(
    world: World,
    provider: SimulatedProvider,
    monkeypatch: pytest.MonkeyPatch,
    stage: Stage,
    streamed: bool,
) -> None:
    world.write(provider.config_toml("tee"))
    play(provider, monkeypatch, stage.play)
    parts: list[Any] | None = [] if streamed else None
    running = asyncio.ensure_future(world.request(path="/responses", body=PROMPT, parts=parts))
    await provider.record.wait_for(stage.reached)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    if stage.name in ("tls", "quote", "pccs"):
        assert provider.record.api_bytes == 0
    before = provider.record.prompt_bytes
    await _sound(world, provider)
    # One prompt more, that of the last request; the cancelled one never came later.
    assert provider.record.prompt_bytes - before == len(b'{"input": "a secret prompt"}')


@pytest.mark.parametrize("stage", BY_NAME)
async def test_out_of_time(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    await provider.close_connections()
    world.session.clear_cache()
    told = len(world.told)
    provider.record.connections.clear()
    provider.record.pccs_targets.clear()
    play(provider, monkeypatch, stage.play)
    error = await refused(world.request(path="/responses", body=PROMPT, timeoutMs=1000))
    assert stage.reached(provider.record)
    assert error.code == stage.code
    assert "not finished within 1 s" in error.message
    if stage.code == methods.UNREACHABLE:
        assert error.data == {"step": stage.name, "host": "localhost"}
    else:
        assert error.data.keys() == {"received"}
    await _sound(world, provider)
    # The caller's impatience says nothing about the provider.
    assert {status["state"] for status in world.told[told:]} <= {"affirmed"}


@pytest.mark.parametrize("step", [Step.DNS, Step.TCP])
async def test_cancelled_or_late_before_the_provider_hears_of_it(
    world: World,
    provider: SimulatedProvider,
    monkeypatch: pytest.MonkeyPatch,
    full_port: int,
    step: Step,
) -> None:
    world.write(provider.config_toml("tee"))
    reached = asyncio.Event()
    connect = network.connect

    async def look_up_for_ever(*_: Any) -> Any:
        reached.set()
        await asyncio.Event().wait()

    async def connect_in_vain(host: str, _: int, on_step: Callable[[Step], None]) -> Any:
        reached.set()
        return await connect(host, full_port, on_step)

    with monkeypatch.context() as patched:
        if step is Step.DNS:
            patched.setattr(network, "resolve", look_up_for_ever)
        else:
            patched.setattr(network, "connect", connect_in_vain)
        running = asyncio.ensure_future(world.request(path="/responses", body=PROMPT))
        await reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        error = await refused(world.request(path="/responses", body=PROMPT, timeoutMs=1000))
        assert error.code == methods.UNREACHABLE
        assert error.data == {"step": step.value, "host": "localhost"}
    assert not provider.record.connections
    await _sound(world, provider)


async def test_cancelled_or_late_in_the_queue(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_CONNECTIONS", 1)
    world.write(provider.config_toml("tee"))
    first = await world.held_request()
    waiting = asyncio.ensure_future(world.request(path="/responses", body=PROMPT))
    error = await refused(world.request(path="/responses", body=PROMPT, timeoutMs=50))
    assert (error.code, error.data["step"]) == (methods.UNREACHABLE, "queue")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    provider.gate.set()
    assert (await first)["complete"] is True
    assert provider.record.prompt_bytes == 0
    assert (await world.request())["timings"]["reusedConnection"] is True
    assert len(provider.record.connections) == 1


async def test_very_many_in_the_queue_cost_each_other_nothing(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_CONNECTIONS", 1)
    world.write(provider.config_toml("tee"))
    first = await world.held_request()
    many = [
        asyncio.ensure_future(world.request(path="/responses", body=PROMPT)) for _ in range(1000)
    ]
    started = time.process_time()
    await asyncio.sleep(0.1)
    for waiting in many:
        waiting.cancel()
    await asyncio.wait(many)
    assert time.process_time() - started < 1.5  # some tenths; squared it were three
    provider.gate.set()
    assert (await first)["complete"] is True
    assert provider.record.prompt_bytes == 0


async def test_a_hundred_cancelled_at_random_leave_nothing_behind(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))

    async def cancelled(turns: int) -> None:
        running = asyncio.ensure_future(world.request(path="/responses", body=PROMPT, parts=[]))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])

    await asyncio.gather(*(cancelled(3 * turns) for turns in range(100)))
    await asyncio.gather(*(world.request(path="/responses", body=PROMPT) for _ in range(100)))
    await world.session.aclose()
    await provider.record.wait_for(lambda record: all(known.closed for known in record.connections))
    for connection in provider.record.connections:
        assert not connection.api_bytes or connection.requests[0].is_quote


async def test_cancelled_before_it_started_and_after_it_ended(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))
    never = asyncio.ensure_future(world.request(path="/responses", body=PROMPT))
    never.cancel()
    with pytest.raises(asyncio.CancelledError):
        await never
    assert not provider.record.connections
    done = asyncio.ensure_future(world.request())
    await done
    assert done.cancel() is False
    assert (await world.request())["timings"]["reusedConnection"] is True


async def test_a_time_limit_of_somebody_else_is_not_the_requests(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))

    class Late(list[Any]):
        def append(self, _: Any) -> None:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await world.request(parts=Late())


async def test_the_end_of_the_session_cancels_what_runs(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))
    running = await world.held_request()
    await world.session.aclose()
    with pytest.raises(asyncio.CancelledError):
        await running
    provider.gate.set()
    await provider.record.wait_for(lambda record: all(known.closed for known in record.connections))
