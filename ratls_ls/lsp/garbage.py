"""Garbage collection that no keystroke waits for.

Invariant: a full collection, which takes tens of milliseconds, comes when the client is quiet. Only
a client that never is has them among its messages, and then seldom.
"""

from __future__ import annotations

import asyncio
import gc

QUIET_SECONDS = 3.0
# Young ones come so late that what a keystroke makes and drops again starts none; middle-aged ones
# stay short, and full ones are four times as rare as Python's own.
_THRESHOLDS = (5_000, 4, 14)


def keep_what_is_loaded() -> None:
    """All that there is now stays, and is never looked at again."""
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


class Quiet:
    """Waits for a moment in which the client is quiet, and collects then."""

    def __init__(self) -> None:
        self._collection: asyncio.TimerHandle | None = None

    def ended(self) -> None:
        """The client said something."""
        if self._collection is not None:
            self._collection.cancel()
        self._collection = asyncio.get_running_loop().call_later(QUIET_SECONDS, gc.collect)
