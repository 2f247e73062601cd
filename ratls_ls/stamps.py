"""Tells one state of a file on disk from another, without reading it.

Invariant: whoever changes a file changes its stamp, whatever size and date they give it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ratls_ls import bounded


class Stamp(NamedTuple):
    inode: int
    size: int
    modified_ns: int
    changed_ns: int  # unlike the time of modification, nobody sets it


def stamp_of(found: os.stat_result) -> Stamp:
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def stamp_at(path: Path | None) -> Stamp | None:
    """None if there is no regular file of a size that can be read."""
    try:
        found = path.stat() if path is not None else None
    except (OSError, ValueError):  # a name that no file can have
        return None
    if found is None or not stat.S_ISREG(found.st_mode) or found.st_size > bounded.MAX_FILE_BYTES:
        return None
    return stamp_of(found)


def as_they_are(files: Iterable[Path]) -> tuple[tuple[Path, Stamp], ...]:
    """To remember by what was made of `files`. Raises OSError."""
    return tuple((file, stamp_of(file.stat())) for file in files)
