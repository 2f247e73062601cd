"""Files of this user alone, and where they are.

Invariant: a file is readable by its owner only from its first moment on, and whoever reads a
written one reads it whole. None is where a program happens to be started.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from ratls_ls import bounded

NOWHERE = Path(os.devnull)
"""In place of a home where there is none: nothing is in it, and nothing can be put there."""


def home() -> Path:
    """Of the user."""
    return _absolute(Path.home)


def state_directory() -> Path:
    """Where what must outlive a session is kept; it may not exist yet."""
    return _absolute(lambda: platformdirs.user_state_path("ratls-ls", appauthor=False))


def cache_directory() -> Path:
    """Where what can be fetched again is kept; it may not exist yet."""
    return _absolute(lambda: platformdirs.user_cache_path("ratls-ls", appauthor=False))


def _absolute(find: Callable[[], Path]) -> Path:
    try:
        found = find()
    except RuntimeError:  # neither HOME nor an entry of this user
        return NOWHERE
    return found if found.is_absolute() else NOWHERE


def write(file: Path, data: bytes) -> None:
    """Replace `file` as a whole. Raises OSError."""
    _make(file.parent)
    descriptor, name = tempfile.mkstemp(dir=file.parent)  # created 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def read(file: Path) -> bytes | None:
    """All of `file`; None if nothing is there. Raises OSError for what is, and cannot be read."""
    try:
        return bounded.read_file(file)
    except (FileNotFoundError, NotADirectoryError):
        return None


def append(file: Path, data: bytes) -> None:
    """Add `data` at the end of `file`, in one piece among other writers. Raises OSError."""
    _make(file.parent)
    descriptor = bounded.open_at_once(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def _make(directory: Path) -> None:
    """With its parents, each for the owner only; `Path.mkdir` would open up the latter."""
    if not directory.is_dir():
        _make(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)
