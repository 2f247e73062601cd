"""Whether a value has the type of its key.

Invariant: what cannot be read (`Invalid`) fits everywhere: it is reported as such already.
"""

from __future__ import annotations

from .keys import Kind
from .values import Array, Invalid, Scalar, Table, Value, integer_of


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
