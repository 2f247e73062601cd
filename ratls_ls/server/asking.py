"""Asks the client for its settings.

Invariant: what was said last counts, in the order of the questions and not of their answers; a
question without an answer gives no trust and takes it away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

ANSWER_SECONDS = 5.0


class Asking:
    """`ask` puts the question; `take` is given the section that the client has, None if it has
    none; `fail` is called when it refuses to answer, and when it takes long: then its answer counts
    all the same."""

    def __init__(
        self,
        ask: Callable[[], Future[Sequence[Any]]],
        take: Callable[[object | None], None],
        fail: Callable[[], None],
    ) -> None:
        self._ask = ask
        self._take = take
        self._fail = fail
        self._newest: Future[Sequence[Any]] | None = None  # whose answer counts
        self._known = asyncio.Event()
        self._known.set()
        self._stopped = False

    def begin(self) -> None:
        """Ask. From now on no answer to an earlier question counts."""
        self._known.clear()
        self._newest = question = self._ask()
        # Within the message that answers it: the next one finds things as that has them.
        question.add_done_callback(self._answered)
        asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._late, question)

    def drop(self) -> None:
        """No answer counts any more: the client said unasked whether it trusts."""
        self._newest = None
        self._known.set()

    def stop(self) -> None:
        """Whoever waits is cancelled."""
        self._stopped = True
        self.drop()

    async def known(self) -> None:
        """Returns at once unless a question is open; then when that is answered, or failed.

        Raises CancelledError once this was stopped.
        """
        while not self._known.is_set():  # another may be open by now
            await self._known.wait()
        if self._stopped:
            raise asyncio.CancelledError

    def _answered(self, question: Future[Sequence[Any]]) -> None:
        if question is not self._newest:
            return
        found = (question.result() or [None]) if question.exception() is None else None
        if isinstance(found, list | tuple):
            self._take(found[0])
        else:
            self._fail()
        self._known.set()

    def _late(self, question: Future[Sequence[Any]]) -> None:
        if question is self._newest and not question.done():
            self._fail()
            self._known.set()
