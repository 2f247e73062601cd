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

    loop: asyncio.AbstractEventLoop | None = None  # that has one; it ends with its round
    ends = 0.0


def _over() -> None:
    _Turn.loop = None


async def rest() -> None:
    """Let others have a turn if this one was long enough. For whoever awaits things that may all be
    there already: that is no turn of its own."""
    loop = asyncio.get_running_loop()
    while _Turn.loop is loop and time.monotonic() >= _Turn.ends:  # noqa: ASYNC110 (of one round)
        await asyncio.sleep(0)
    if _Turn.loop is not loop:
        _Turn.loop, _Turn.ends = loop, time.monotonic() + TURN_SECONDS
        loop.call_soon(_over)


async def paced(work: Iterable[_T]) -> AsyncIterator[_T]:
    """All of `work`, made piece by piece, over as many turns as that takes."""
    for piece in work:
        yield piece
        await rest()
