"""What bears on a config but does not stand in it.

Invariant: nothing unknown is guessed; a rule that would need it is silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["user", "project", "profile"]


@dataclass(frozen=True, slots=True)
class Context:
    """`kind`: the user's own config, one in a project's `.codex`, or a `<profile>.config.toml`
    beside the user's own; the latter two may refer to providers of the first.

    `environment`: names of the environment variables that are set; None is unknown.
    """

    kind: Kind = "user"
    environment: frozenset[str] | None = None
