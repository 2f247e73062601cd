"""Work-done progress while providers are attested, for clients that show it.

Invariant: what takes no time shows nothing, and at most one progress is shown at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.progress import Progress

from ratls_ls.config.words import shown

QUIET_SECONDS = 0.5


class CheckProgress:
    """`cancel` is called when the user cancels what is shown."""

    def __init__(self, progress: Progress, cancel: Callable[[], None]) -> None:
        self._progress = progress
        self._cancel = cancel
        self._checking: dict[tuple[str, str], None] = {}
        self._changed = asyncio.Event()
        self._tokens = count(1)
        self._task: asyncio.Task[None] | None = None

    def update(self, status: dict[str, Any]) -> None:
        """Take in one ProviderStatus, in its wire shape."""
        key = (status["uri"], status["provider"])
        if status["state"] != "checking":
            if key in self._checking:
                del self._checking[key]
                self._changed.set()
            return
        self._checking[key] = None
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._show())

    async def _show(self) -> None:
        await asyncio.sleep(QUIET_SECONDS)
        if not self._checking:
            return
        token = f"ratls-attestation-{next(self._tokens)}"
        try:
            # A client that refuses the token shows nothing.
            with suppress(JsonRpcException):
                await self._progress.create_async(token)
                await self._shown_as(token)
        finally:
            self._progress.tokens.pop(token, None)

    async def _shown_as(self, token: str) -> None:
        cancelled: Future[Any] = self._progress.tokens[token]
        cancelled.add_done_callback(lambda _: self._cancel())
        if not self._checking:
            return
        begin = types.WorkDoneProgressBegin("Attesting", cancellable=True, message=self._who())
        self._progress.begin(token, begin)
        while self._checking:
            self._changed.clear()
            await self._changed.wait()
            if self._checking:
                self._progress.report(token, types.WorkDoneProgressReport(message=self._who()))
        self._progress.end(token, types.WorkDoneProgressEnd())

    def _who(self) -> str:
        first, *others = (shown(provider) for _, provider in self._checking)
        return f"{first} and {len(others)} more" if others else first
