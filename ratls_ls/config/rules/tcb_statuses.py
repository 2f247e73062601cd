"""What the rules about `allowed_tdx_status` share. Not a rule."""

from __future__ import annotations

from typing import NamedTuple

from ratls_ls.config.edits import quoted, remove_item
from ratls_ls.config.problem import Fix
from ratls_ls.config.span import Span
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.values import Array, Scalar
from ratls_ls.config.words import shown
from ratls_ls.rats.policy import TcbStatus


class Allowed(NamedTuple):
    """One string in `allowed_tdx_status`. `position` counts all elements of the array."""

    position: int
    text: str
    span: Span
    status: TcbStatus | None


def status_array(provider: ProviderTable) -> Array | None:
    """`allowed_tdx_status`, if it is an array."""
    policy = provider.policy
    found = policy.get("allowed_tdx_status") if policy is not None else None
    return found if isinstance(found, Array) else None


def allowed_statuses(provider: ProviderTable) -> list[Allowed]:
    """Its strings, in order."""
    array = status_array(provider)
    return [
        Allowed(index, item.value, item.span, TcbStatus.parse(item.value))
        for index, item in enumerate(array.items if array is not None else ())
        if isinstance(item, Scalar) and isinstance(item.value, str)
    ]


def remove_status(
    provider: ProviderTable, allowed: Allowed, *, safe: bool = False, preferred: bool = True
) -> tuple[Fix, ...]:
    """The fix that takes one out; none where that cannot be done."""
    array = status_array(provider)
    edit = remove_item(provider, array, allowed.position) if array is not None else None
    title = f"Remove {quoted(shown(allowed.text))}"
    return (Fix(title, (edit,), safe=safe, preferred=preferred),) if edit is not None else ()
