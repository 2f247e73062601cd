"""Where configs lie, what that makes them, and what is on the disk there."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Set
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from ratls_ls import bounded, private_files
from ratls_ls.config.check import Context
from ratls_ls.config.context import Kind
from ratls_ls.config.overlay import UNREADABLE, base_of
from ratls_ls.config.read import read
from ratls_ls.config.tables import Base

Own = Literal["user", "profile"]

_USERS = "config.toml"


class Place(NamedTuple):
    """`key`: the same for every spelling of its URI that means the same without a look at the disk.
    `path`: None for a URI of no local file.
    `own`: which of the user's own configs it is. `is_named_so`: whether its name alone shows that
    it is a Codex config."""

    key: str
    path: Path | None
    own: Own | None
    kind: Kind
    is_named_so: bool


class Places:
    """`home`: where Codex keeps the user-level config. Links are followed once."""

    def __init__(self, home: Path) -> None:
        self.home = home
        # Asked several times at every keystroke.
        self.at = lru_cache(maxsize=256)(self._at)

    def _at(self, uri: str) -> Place:
        path = _path(uri)
        if path is None:
            return Place(uri, None, None, "user", is_named_so=False)
        names = _names_in(self.home, path)
        own = _own(names)
        in_project = path.name == _USERS and path.parent.name == ".codex"
        is_named_so = in_project or any(map(_names_a_config, names))
        return Place(str(path), path, own, _kind(path, own), is_named_so)


def codex_home(setting: Path | None, environment: Mapping[str, str]) -> Path:
    """Where Codex keeps its user-level config. Only an absolute path counts: the directory that an
    editor starts its server in may be of a cloned project."""
    for named in (setting, Path(environment.get("CODEX_HOME", ""))):
        if named is not None and named.is_absolute():
            return named
    return private_files.home() / ".codex"


def home_doubt(setting: Path | None, environment: Mapping[str, str]) -> str | None:
    """Why what `codex_home` gives is not where Codex keeps it, for the user to mend."""
    told = environment.get("CODEX_HOME", "")
    if setting is None and told and not Path(told).is_absolute():
        return "set CODEX_HOME to an absolute path: where a relative one is depends on who asks"
    if codex_home(setting, environment).is_relative_to(private_files.NOWHERE):
        return "there is no home directory, so no config is your own: set HOME or CODEX_HOME"
    return None


def context_of(path: Path | None, home: Path, environment: frozenset[str] | None) -> Context:
    """What bears on the config at `path` (None: nowhere), where the user's own is in `home`. Reads
    that for a profile."""
    own = _own(_names_in(home, path)) if path is not None else None
    base = _base_at(home / _USERS) if own == "profile" else None
    return Context(_kind(path, own), environment, base, mode_at(path))


def _base_at(path: Path) -> Base | None:
    if (text := text_at(path)) is not None:
        return base_of(read(text))
    return None if is_nothing_at(path) else UNREADABLE


def is_nothing_at(path: Path | None) -> bool:
    """Whether nothing is there for certain: a link to nothing is something, and so is what nobody
    may look at."""
    try:
        if path is not None:
            path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # or a name that no file can have
        return True
    except OSError:
        return False
    return path is None


def are_same(one: Path | None, other: Path | None) -> bool:
    """Whether both lead to one file that is there."""
    try:
        return one is not None and other is not None and one.samefile(other)
    except (OSError, ValueError):  # a name that no file can have
        return False


def mode_at(path: Path | None) -> int | None:
    """The permission bits of a regular file; None where there is none, or where they mean
    nothing."""
    try:
        found = path.stat().st_mode if path is not None else 0
    except (OSError, ValueError):  # a name that no file can have
        return None
    return stat.S_IMODE(found) if os.name == "posix" and stat.S_ISREG(found) else None


def text_at(path: Path | None) -> str | None:
    """The text of a file as it is on disk; None if it cannot be had."""
    try:
        # Editors show no byte order mark.
        return bounded.read_file(path).decode("utf-8-sig") if path is not None else None
    except (OSError, ValueError):  # a name that no file can have, or no text
        return None


def _path(uri: str) -> Path | None:
    """The local path of a file URI; None for any other."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or "\0" in path:
        return None
    return Path(path)


def _kind(path: Path | None, own: Own | None) -> Kind:
    """`own`: what the config is to the user."""
    is_project = own is None and path is not None and path.parent.name == ".codex"
    return "project" if is_project else own or "user"


def _own(names: Set[str]) -> Own | None:
    """Which of the user's own configs has these names where Codex keeps them."""
    return "user" if _USERS in names else "profile" if names else None


def _names_a_config(name: str) -> bool:
    return name == _USERS or name.endswith(f".{_USERS}")


def _names_in(home: Path, path: Path) -> frozenset[str]:
    """Those that what is at `path` has in the directory `home`, whatever links lead here or there.
    Of links in `home` those count that name a config."""
    try:
        real, folder, parent = map(_real, (path, home, path.parent))
    except ValueError:  # a name that no file can have
        return frozenset()
    names = {way.name for way in (real, parent / path.name) if way.parent == folder}
    with suppress(OSError):
        links = (each for each in folder.iterdir() if _names_a_config(each.name))
        names.update(each.name for each in links if each.is_symlink() and _real(each) == real)
    return frozenset(names)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
