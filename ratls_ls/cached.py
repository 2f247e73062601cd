"""Properties that are worked out once.

Those of `functools` hold a lock meanwhile in Python 3.11, and a keystroke asks for dozens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

_T = TypeVar("_T")
_Owner = TypeVar("_Owner")


class cached_property(Generic[_Owner, _T]):  # noqa: N801 (a decorator, named as the one it is like)
    """As `functools.cached_property` of Python 3.12: two threads may both work it out."""

    def __init__(self, function: Callable[[_Owner], _T]) -> None:
        self._function = function
        self._name = function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: _Owner, owner: type[Any]) -> _T: ...
    def __get__(self, instance: _Owner | None, owner: type[Any]) -> Self | _T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._function(instance)
        return value
