"""Whether a value has the type of its key, or says what one of that type would.

Invariant: what cannot be read (`Invalid`) fits everywhere: it is reported as such already.
"""

from __future__ import annotations

from .keys import Kind
from .toml.values import Array, Invalid, Scalar, Table, Value, integer_of

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_TRUTHS = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)


def fits(kind: Kind, value: Value) -> bool:
    """Whether `value` is of `kind`; what is in an array or a table of strings is not looked at."""
    if isinstance(value, Invalid):
        return True
    plain = value.value if isinstance(value, Scalar) else None
    match kind:
        case Kind.STRING | Kind.URL | Kind.HEX:
            return isinstance(plain, str)
        case Kind.BOOLEAN:
            return isinstance(plain, bool)
        case Kind.INTEGER:
            return integer_of(value) is not None
        case Kind.STRING_LIST:
            return isinstance(value, Array)
        case Kind.STRING_MAP | Kind.TABLE:
            return isinstance(value, Table)


def truth_of(value: Value) -> bool | None:
    """The truth value that `value` is, or that other formats take it for."""
    plain = value.value if isinstance(value, Scalar) else None
    return _TRUTHS.get(str(plain).lower()) if isinstance(plain, str | int) else None
