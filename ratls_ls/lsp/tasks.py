"""Requests that pygls has no part in, each in a task of its own.

Invariant: each is answered exactly once: with its result, its error, or that it was cancelled.
pygls would take a result through its types and make one string of it, for as much as seventy
milliseconds a megabyte.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcException

from .methods import REQUEST_CANCELLED
from .writer import Writer

if TYPE_CHECKING:
    from .result import Answer


class Tasks:
    """Those under way, by the id that the client gave them."""

    def __init__(self) -> None:
        self._running: dict[int | str, asyncio.Task[Answer]] = {}

    def start(self, identifier: int | str, work: Coroutine[Any, Any, Answer], to: Writer) -> None:
        """`work` may raise JsonRpcException and nothing else."""
        task = asyncio.get_running_loop().create_task(work)
        self._running[identifier] = task
        task.add_done_callback(partial(self._ended, identifier, to))

    def cancel(self, identifier: int | str) -> bool:
        """Whether there is such a one that was not cancelled yet."""
        task = self._running.pop(identifier, None)
        return task is not None and task.cancel()

    def _ended(self, identifier: int | str, writer: Writer, task: asyncio.Task[Answer]) -> None:
        # A client that gives one id twice can still cancel the later one.
        if self._running.get(identifier) is task:
            del self._running[identifier]
        if task.cancelled():
            error = {"code": REQUEST_CANCELLED, "message": "the request was cancelled"}
            writer.send(id=identifier, error=error)
        elif isinstance(refusal := task.exception(), JsonRpcException):
            error = {"code": refusal.code, "message": refusal.message}
            if refusal.data is not None:
                error["data"] = refusal.data
            writer.send(id=identifier, error=error)
        else:
            head = b'{"jsonrpc": "2.0", "id": %s, "result": ' % json.dumps(identifier).encode()
            writer.send_json([head, *task.result().json(), b"}"])
