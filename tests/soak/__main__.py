"""Everything at once, for long: requests, attacks, cuts, outages, clock jumps, edits, cancels.

    python -m tests.soak                        10,000 requests
    python -m tests.soak --requests 400         short, for CI
    python -m tests.soak --seed 7               another schedule

Not one byte of a prompt may reach a server that was not affirmed; no good request may fail while
nothing is wrong; each gets an answer. The server's memory and descriptors level off as soon as its
caches are full: its last third of the requests needs no more than the second.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ratls_ls.simulator import FAULTS, serve

from .disturbances import disturb
from .requests import ask
from .scene import Process, Scene, SoakError, State, faults

AT_ONCE = 12
IN_PEACE = 50
ATTACKED = 0.15
LOOKS = 40
# Between the medians of two thirds; what waits for the garbage collector comes and goes.
MOST_GROWTH_BYTES = 16 * 2**20
MOST_DESCRIPTORS_MORE = 8


async def soak(scene: Scene, requests: int, seed: int) -> list[State]:
    """What the server that stays was like from time to time. Raises SoakError."""
    quarter = requests // 4
    scene.set_clock(0)
    await scene.attack_by(FAULTS["relay"])
    # The first server is killed; the second has to do with what it left.
    await scene.start_server()
    await work(scene, range(quarter), seed)
    await scene.kill_server()
    process = await scene.start_server()
    await meet_every_attack(scene)
    seen: list[State] = []
    looking = asyncio.create_task(look(scene, process, max(1, requests // LOOKS), seen))
    await work(scene, range(quarter, 2 * quarter), seed)
    await work(scene, range(2 * quarter, requests), seed)
    looking.cancel()
    await scene.end_server()
    await scene.end_attack()
    return seen


async def look(scene: Scene, process: Process, every: int, seen: list[State]) -> None:
    """See how the server is, for ever."""
    while True:
        seen.append(process.now())
        await scene.until_finished(every)


async def meet_every_attack(scene: Scene) -> None:
    """Some answer with as much as is taken: what that needs, for all who ask at once, is no growth
    when it comes again."""
    numbers = iter(range(AT_ONCE * len(faults())))
    for fault in faults():
        await scene.attack_by(fault)
        async with asyncio.TaskGroup() as people:
            for number in itertools.islice(numbers, AT_ONCE):
                people.create_task(ask(scene, number, random.Random(number), attacked_share=1))


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


def flat(seen: Sequence[State]) -> bool:
    second, last = (seen[len(seen) * part // 3 : len(seen) * (part + 1) // 3] for part in (1, 2))

    def more(held: Callable[[State], int]) -> float:
        return statistics.median(map(held, last)) - statistics.median(map(held, second))

    return (
        more(lambda state: state.resident_bytes) <= MOST_GROWTH_BYTES
        and more(lambda state: state.descriptors) <= MOST_DESCRIPTORS_MORE
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
                seen = await soak(scene, requests, seed)
                every = max(1, requests // LOOKS)
                for number, state in list(enumerate(seen))[:: LOOKS // 10]:
                    print(f"{number * every:7} {state}")
                if not flat(seen):
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
