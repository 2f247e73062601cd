"""JSON as evidence must be written: one reading only.

Invariant: whatever two parsers could read differently is refused: duplicate keys, NaN, unpaired
surrogates, a byte order mark, trailing data, numbers or nesting beyond reason. What is read takes
milliseconds, not more: Python's `json` gives no other thread a turn.
"""

from __future__ import annotations

import json
from math import isfinite
from typing import Any, NoReturn

MAX_NUMBER_LENGTH = 32
MAX_PARTS = 64 * 1024  # a hundred times what evidence and collateral have


class StrictJsonError(ValueError):
    """Not JSON with one reading; the message says why and repeats nothing of the text."""


def loads(text: str | bytes) -> Any:
    """The value of `text` (UTF-8 if bytes). Raises StrictJsonError."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        if decoded.startswith("\ufeff"):
            raise StrictJsonError("it starts with a byte order mark")
        if has_too_many_parts(decoded):
            raise StrictJsonError("it has too many parts")
        value = json.loads(
            decoded,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
        # An escaped half of a surrogate pair is no text in any encoding.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except StrictJsonError:
        raise
    except UnicodeError as error:
        raise StrictJsonError("it is not UTF-8 text") from error
    except RecursionError as error:
        raise StrictJsonError("it is nested too deeply") from error
    except ValueError as error:
        raise StrictJsonError("it is not JSON") from error
    return value


def has_too_many_parts(text: str) -> bool:
    """Whether reading it takes too long; known without that, so what looks like a part in a text
    within it counts, too."""
    return sum(map(text.count, ",[{")) > MAX_PARTS


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise StrictJsonError("a key stands twice in one object")
    return value


def _constant(_: str) -> NoReturn:
    raise StrictJsonError("NaN and Infinity are no JSON numbers")


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise StrictJsonError("a number is too long")
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > MAX_NUMBER_LENGTH:
        raise StrictJsonError("a number is too long")
    number = float(digits)
    if not isfinite(number):
        raise StrictJsonError("a number is too large")
    return number
