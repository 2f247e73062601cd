"""Files read whole, up to one size: configs, roots, evidence, bodies.

Invariant: no file, pipe or device that a user names, and none that grows, takes more memory.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

MAX_FILE_BYTES = 16 * 1024 * 1024


def read(path: Path) -> bytes:
    """All of a file, which may be a pipe. Raises OSError."""
    with path.open("rb") as stream:
        return read_all(stream)


def read_file(path: Path) -> bytes:
    """All of a regular file, without waiting for anybody as the reader of a pipe does.

    Raises OSError.
    """
    with open(path, "rb", opener=open_at_once) as stream:
        return read_all(stream)


def open_at_once(path: str | os.PathLike[str], flags: int, mode: int = 0o600) -> int:
    """The descriptor of a regular file. Raises OSError."""
    descriptor = os.open(path, flags | os.O_NONBLOCK, mode)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file")
    return descriptor


def read_all(stream: BinaryIO) -> bytes:
    """All until its end. Raises OSError."""
    data = stream.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MAX_FILE_BYTES // 1024 // 1024} MiB")
    return data
