"""What bears on a config but does not stand in it.

Invariant: nothing unknown is guessed; a rule that would need it is silent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ratls_ls.cached import cached_property

from .tables import Base

Kind = Literal["user", "project", "profile"]


@dataclass(frozen=True)
class Context:
    """`kind`: the user's own config, one in a project's `.codex`, or a `<profile>.config.toml`
    beside the user's own; the latter two may refer to providers of the first.

    `environment`: names of the environment variables that are set; `base`: the user's own config,
    for a profile; `mode`: the POSIX permission bits of the file. None is unknown.
    """

    kind: Kind = "user"
    environment: frozenset[str] | None = None
    base: Base | None = None
    mode: int | None = None

    @cached_property
    def of_part(self) -> Context:
        """What of it bears on one table by itself, and so is kept with that."""
        return self if self.base is None else replace(self, base=None)
