"""Turns of the event loop: work that takes long leaves others theirs.

Invariant: what is paced holds the loop for `TURN_SECONDS` and one piece of its work at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

TURN_SECONDS = 0.002
_T = TypeVar("_T")


class Turn:
    """For whoever awaits things that may all be there already: that is no turn of its own."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + TURN_SECONDS

    async def rest(self) -> None:
        """Let others have a turn if this one was long enough."""
        if time.monotonic() >= self._ends:
            await asyncio.sleep(0)
            self._ends = time.monotonic() + TURN_SECONDS


async def paced(work: Iterable[_T]) -> AsyncIterator[_T]:
    """All of `work`, made piece by piece, over as many turns as that takes."""
    turn = Turn()
    for piece in work:
        yield piece
        await turn.rest()
