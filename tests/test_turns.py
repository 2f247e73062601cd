"""However many work, the loop is free again after a turn."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from ratls_ls import turns

PIECE_SECONDS = turns.TURN_SECONDS / 4


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.mark.parametrize("workers", [1, 50])
async def test_all_that_work_at_once_have_one_turn(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(turns, "time", clock)

    async def work() -> None:
        for _ in range(20):
            await turns.rest()
            clock.now += PIECE_SECONDS

    rounds = [clock.now]

    async def look() -> None:
        while not working.done():
            rounds.append(clock.now)
            await asyncio.sleep(0)

    working = asyncio.gather(*(work() for _ in range(workers)))
    await asyncio.gather(working, look())
    longest = max(after - before for before, after in pairwise(rounds))
    assert longest < turns.TURN_SECONDS + 2 * PIECE_SECONDS
    assert clock.now == pytest.approx(workers * 20 * PIECE_SECONDS)
