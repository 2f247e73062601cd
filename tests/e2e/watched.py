"""The server with a watch on its event loop: python watched.py FILE --stdio …

From SIGUSR1 on, FILE gets a line of JSON for every callback that took more than `NOTED_MS` of the
loop's own CPU time. That, not the time that passed: a busy machine is not the server's fault. What
would wait instead of computing is for the linter to find.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from ratls_ls.cli.main import run

NOTED_MS = 2.0
_LOOK_SECONDS = 0.001
_FRAMES = 12


class Watch:
    """Times every callback; a thread looks where those are that take long."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._on = False
        self._since: float | None = None
        self._where: list[str] = []
        self._run = asyncio.Handle._run  # what asyncio's own debug mode times
        asyncio.Handle._run = lambda handle: self._timed(handle)  # type: ignore[method-assign]
        signal.signal(signal.SIGUSR1, self._begin)

    def _begin(self, *_: Any) -> None:
        self._file.touch()
        self._on = True
        threading.Thread(target=self._look, daemon=True).start()

    def _timed(self, handle: asyncio.Handle) -> None:
        self._where, self._since = [], time.monotonic()
        before = time.thread_time()
        self._run(handle)
        taken = (time.thread_time() - before) * 1000
        self._since = None
        if self._on and taken > NOTED_MS:
            noted = {"ms": round(taken, 1), "where": self._where or [repr(handle)]}
            with self._file.open("a", encoding="utf-8") as out:
                print(json.dumps(noted), file=out)

    def _look(self) -> None:
        loop = threading.main_thread().ident
        while True:
            time.sleep(_LOOK_SECONDS)
            since = self._since
            if since is not None and time.monotonic() - since > NOTED_MS / 1000:
                stack = traceback.extract_stack(sys._current_frames().get(loop or 0))
                self._where = [f"{each.filename}:{each.lineno}" for each in stack[-_FRAMES:]]


if __name__ == "__main__":
    Watch(Path(sys.argv[1]))
    sys.exit(run(sys.argv[2:]))
