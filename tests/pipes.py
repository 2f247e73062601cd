"""Pipes where files should be."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 5.0


@contextmanager
def lonely_pipe(path: Path) -> Iterator[None]:
    """A pipe with nobody at its other end, in place of what is at `path`. Who waits for somebody
    there is let go after a while, and it fails."""
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    waited = threading.Event()

    def let_go() -> None:
        waited.set()
        other_end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        path.unlink()
        os.close(other_end)

    timer = threading.Timer(PATIENCE_SECONDS, let_go)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    assert not waited.is_set(), "somebody waits for the other end of a pipe"
