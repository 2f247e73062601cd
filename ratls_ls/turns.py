"""Turns of the event loop: work that takes long leaves others theirs.

Invariant: what rests between its pieces holds the loop for `TURN_SECONDS` and one piece of its work
at most, whatever else does so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

TURN_SECONDS = 0.002
_T = TypeVar("_T")


class _Turn:
    """Of the loop, which has one at a time: not of who works in it, nor of one of his steps."""

    ends = 0.0


async def rest() -> None:
    """Let others have a turn if this one was long enough. For whoever awaits things that may all be
    there already: that is no turn of its own."""
    if time.monotonic() >= _Turn.ends:
        await asyncio.sleep(0)
        _Turn.ends = time.monotonic() + TURN_SECONDS


async def paced(work: Iterable[_T]) -> AsyncIterator[_T]:
    """All of `work`, made piece by piece, over as many turns as that takes."""
    for piece in work:
        yield piece
        await rest()
