"""The server, on a machine whose clock somebody sets.

    python tests/soak/server.py FILE ARGUMENT…

FILE has how many seconds the clock is ahead, and may change at any time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

CLOCK = Path(sys.argv.pop(1))


def set_by(file: Path, real: Callable[[], float]) -> Callable[[], float]:
    return lambda: real() + float(file.read_text("ascii"))


# Before anything is imported that keeps the function.
time.time = set_by(CLOCK, time.time)

from ratls_ls.__main__ import main  # noqa: E402

main()
