"""Records: dataclasses that the type checker holds to be frozen.

Freezing them at run time, too, would make each take twice as long to build, and every keystroke
builds dozens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(eq_default=False, frozen_default=True, field_specifiers=(field,))
def record(*, eq: bool = False, slots: bool = False) -> Callable[[type[_T]], type[_T]]:
    """Decorates a class that is compared by identity, or with `eq` by its fields."""
    # Nobody changes one, so it may be a key.
    return dataclass(eq=eq, unsafe_hash=eq, slots=slots)
