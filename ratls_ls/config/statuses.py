"""The TCB statuses that a policy allows, as they stand there.

Invariant: a word that is no status is kept, not left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ratls_ls.rats.policy import TcbStatus

from .span import Span
from .toml.elements import whole_strings
from .toml.values import Array, Scalar, Value, strings


class Allowed(NamedTuple):
    """One string in `allowed_tdx_status`. `position` counts all elements of the array, or of a
    broken one those that can be read."""

    position: int
    text: str
    span: Span
    status: TcbStatus | None


def allowed_in(array: Array | None) -> Iterator[Allowed]:
    """The strings of `allowed_tdx_status`, in order."""
    for index, item in enumerate(array.items if array is not None else ()):
        if isinstance(item, Scalar) and isinstance(item.value, str):
            yield Allowed(index, item.value, item.span, TcbStatus.parse(item.value))


def readable_in(source: str, at: int) -> Iterator[Allowed]:
    """The strings of a broken `allowed_tdx_status` that can be read, in order; `source` stands at
    `at`."""
    for index, (text, span) in enumerate(whole_strings(source, at)):
        yield Allowed(index, text, span, TcbStatus.parse(text))


def accepts_more_than_default(value: Value) -> bool:
    """Whether `value` of `allowed_tdx_status` lets more pass than leaving it out does."""
    allowed = {TcbStatus.parse(text) for text, _ in strings(value)}
    return not allowed <= {TcbStatus.UP_TO_DATE, None}
