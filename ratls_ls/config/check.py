"""All static problems of a config.

Invariant: pure and total: any text gives problems, none an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .problem import Problem
from .read import ConfigFile


@dataclass(frozen=True, slots=True)
class Context:
    """What the text alone does not say.

    `kind`: the user's own config, or one in a project's `.codex`. `environment`: names of the
    environment variables that are set; None is unknown, and then nothing is said about them.
    """

    kind: Literal["user", "project"] = "user"
    environment: frozenset[str] | None = None


def check(file: ConfigFile, context: Context = Context()) -> list[Problem]:
    """The problems of `file`, in order of their place."""
    raise NotImplementedError


def fix_all(text: str, context: Context = Context()) -> str:
    """`text` with every safe fix applied until none is left."""
    raise NotImplementedError
