"""From initialize to shutdown, as LSP has it; and the process that started the server.

Invariant: a request always gets an answer, also one that comes too early or too late.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

METHOD_NOT_FOUND = -32601
INVALID_REQUEST = -32600
SERVER_NOT_INITIALIZED = -32002
_LOOK_SECONDS = 3.0


class Lifecycle:
    """`known`: whether there is a handler for a method. `gone`: called when the client's process,
    which `initialize` names, is no more."""

    def __init__(self, known: Callable[[str], bool], gone: Callable[[], None]) -> None:
        self._known = known
        self._gone = gone
        self._begun = False
        self._ended = False
        self._watch: asyncio.Task[None] | None = None

    def refusal(self, method: str) -> tuple[int, str] | None:
        """Code and message for a request that may not pass; a notification is then dropped."""
        if method == "exit":
            return None
        if self._ended:
            return INVALID_REQUEST, "the server is shut down"
        if not self._begun and method != "initialize":
            return SERVER_NOT_INITIALIZED, "initialize comes first"
        if self._begun and method == "initialize":
            return INVALID_REQUEST, "initialize comes once"
        if not self._known(method):
            return METHOD_NOT_FOUND, "there is no such method"
        return None

    def passed(self, method: str, params: Any) -> None:
        """A message goes to its handler."""
        if method == "initialize":
            self._begun = True
            process = params.get("processId") if isinstance(params, dict) else None
            if isinstance(process, int) and not isinstance(process, bool) and process > 0:
                self._watch = asyncio.create_task(self._look(process))
        elif method == "shutdown":
            self._ended = True

    async def _look(self, process: int) -> None:
        while _is_there(process):  # noqa: ASYNC110 (no system tells of any process's end)
            await asyncio.sleep(_LOOK_SECONDS)
        self._gone()


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's, so it is there
    return True
