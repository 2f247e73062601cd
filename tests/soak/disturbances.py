"""What happens to a machine, a network and a provider while people work.

Each is a function on the scene that returns when it is over; it lasts for a number of requests, so
that a seed gives the same run on a slow machine.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from .scene import Scene, faults

DAY = 24 * 3600.0
JUMPS = (-3650 * DAY, -DAY, -600.0, 600.0, DAY, 20 * DAY, 40 * DAY, 3650 * DAY)
Disturbance = Callable[[Scene, random.Random], Awaitable[None]]


@asynccontextmanager
async def _trouble(scene: Scene) -> AsyncIterator[None]:
    """Good requests may fail meanwhile, with a typed error."""
    scene.unrest += 1
    scene.troubles += 1
    try:
        yield
    finally:
        scene.troubles -= 1


async def cut_the_network(scene: Scene, _chosen: random.Random) -> None:
    async with _trouble(scene):
        await scene.good.close_connections()


async def stop_the_pccs(scene: Scene, chosen: random.Random) -> None:
    async with _trouble(scene):
        await scene.good.stop_pccs()
        await scene.until_finished(chosen.randint(5, 40))
        with suppress(OSError):  # somebody else is there now: the outage goes on
            await scene.good.start_pccs()


async def restart_the_provider(scene: Scene, chosen: random.Random) -> None:
    async with _trouble(scene):
        await scene.good.stop()
        await scene.until_finished(chosen.randint(1, 10))
        await scene.start_provider()


async def set_the_clock(scene: Scene, chosen: random.Random) -> None:
    async with _trouble(scene):
        scene.set_clock(chosen.choice(JUMPS))
        await scene.until_finished(chosen.randint(5, 40))
        scene.set_clock(0)


async def attack_otherwise(scene: Scene, chosen: random.Random) -> None:
    await scene.attack_by(chosen.choice(faults()))


async def edit_the_policy(scene: Scene, _chosen: random.Random) -> None:
    async with _trouble(scene):  # what waits under the old one is not sent
        scene.edit_policy()


async def clear_the_cache(scene: Scene, _chosen: random.Random) -> None:
    await scene.clear_cache()


async def type_in_the_config(scene: Scene, chosen: random.Random) -> None:
    """Open, edit without saving, and close again. No header: one that cannot be read may be of
    any provider, so all of them would be refused."""
    uri = scene.editor.open(scene.config)
    for _ in range(chosen.randint(1, 20)):
        scene.editor.change(uri, scene.config.read_text("utf-8") + chosen.choice("x={\"'\n#"))
    await scene.until_finished(chosen.randint(1, 5))
    scene.editor.close_document(uri)


DISTURBANCES: tuple[Disturbance, ...] = (
    cut_the_network,
    stop_the_pccs,
    restart_the_provider,
    set_the_clock,
    attack_otherwise,
    attack_otherwise,
    attack_otherwise,
    edit_the_policy,
    clear_the_cache,
    type_in_the_config,
)


async def disturb(scene: Scene, chosen: random.Random) -> None:
    """One after the other, for ever."""
    while True:
        await scene.until_finished(chosen.randint(5, 30))
        disturbance = chosen.choice(DISTURBANCES)
        await disturbance(scene, chosen)
        scene.outcomes[f"({disturbance.__name__.replace('_', ' ')})"] += 1
