"""Everything at once, for long: requests, attacks, cuts, outages, clock jumps, edits, cancels.

    python -m tests.soak                        10,000 requests
    python -m tests.soak --requests 400         short, for CI
    python -m tests.soak --seed 7               another schedule

Not one byte of a prompt may reach a server that was not affirmed; no good request may fail while
nothing is wrong; each gets an answer; memory and descriptors of the server stay flat.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ratls_ls.simulator import FAULTS, serve

from .disturbances import disturb
from .requests import ask
from .scene import Scene, SoakError, State, faults

AT_ONCE = 12
IN_PEACE = 50
ATTACKED = 0.15
# What the caches keep of every new host, and what waits for the garbage collector, is bounded.
MOST_GROWTH_BYTES = 48 * 2**20
MOST_DESCRIPTORS_MORE = 16


async def soak(scene: Scene, requests: int, seed: int) -> tuple[State, State]:
    """What the server was like after half of the requests, and at the end. Raises SoakError."""
    quarter = requests // 4
    scene.set_clock(0)
    await scene.attack_by(FAULTS["relay"])
    # The first server is killed; the second has to do with what it left.
    await scene.start_server()
    await work(scene, range(quarter), seed)
    await scene.kill_server()
    process = await scene.start_server()
    await meet_every_attack(scene)
    await work(scene, range(quarter, 2 * quarter), seed)
    halfway = process.now()
    await work(scene, range(2 * quarter, requests), seed)
    end = process.now()
    await scene.end_server()
    await scene.end_attack()
    return halfway, end


async def meet_every_attack(scene: Scene) -> None:
    """Some answer with as much as is taken: what that needs is no growth when it comes again."""
    for number, fault in enumerate(faults()):
        await scene.attack_by(fault)
        await ask(scene, number, random.Random(number), attacked_share=1)


async def work(scene: Scene, numbers: range, seed: int) -> None:
    """These requests, several at a time, disturbed meanwhile; then some in peace."""
    chosen = random.Random(f"{seed}-{numbers.start}")
    left = iter(numbers)

    async def one_after_the_other() -> None:
        for number in left:
            await ask(scene, number, random.Random(f"{seed}-{number}"), ATTACKED)

    async with asyncio.TaskGroup() as group:
        disturbing = group.create_task(disturb(scene, chosen))
        async with asyncio.TaskGroup() as people:
            for _ in range(AT_ONCE):
                people.create_task(one_after_the_other())
        disturbing.cancel()
    await scene.calm_down()
    for number in range(numbers.stop, numbers.stop + IN_PEACE):
        await ask(scene, number, random.Random(f"peace-{seed}-{number}"), ATTACKED)


def flat(halfway: State, end: State) -> bool:
    return (
        end.resident_bytes - halfway.resident_bytes <= MOST_GROWTH_BYTES
        and end.descriptors - halfway.descriptors <= MOST_DESCRIPTORS_MORE
    )


async def run(requests: int, seed: int) -> list[str]:
    """What went wrong."""
    began, wrong = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        home = Path(name)
        (home / ".codex").mkdir()
        async with serve() as good:
            scene = Scene(home, good)
            try:
                halfway, end = await soak(scene, requests, seed)
                print(f"halfway {halfway}\nend     {end}")
                if not flat(halfway, end):
                    wrong.append("the server grew")
            except* SoakError as failures:
                wrong += map(str, leaves(failures))
    for outcome, count in sorted(scene.outcomes.items()):
        print(f"{count:7} {outcome}")
    print(f"{scene.finished} requests in {time.monotonic() - began:.0f} s, seed {seed}")
    return wrong


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group of groups."""
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from leaves(inner)
    if not isinstance(error, BaseExceptionGroup):
        yield error


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = asyncio.run(run(options.requests, options.seed))
    for what in wrong:
        print(f"FAILED: {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
