"""What the rules about `allowed_tdx_status` share. Not a rule."""

from __future__ import annotations

from ratls_ls.config.edits import quoted, remove_item
from ratls_ls.config.problem import Edit, Fix
from ratls_ls.config.statuses import Allowed
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.words import shown
from ratls_ls.rats.policy import TcbStatus


def remove_status(
    provider: ProviderTable, allowed: Allowed, *, safe: bool = False, preferred: bool = True
) -> tuple[Fix, ...]:
    """The fix that takes one out; none where that cannot be done."""
    array = provider.status_array
    edit = remove_item(provider, array, allowed.position) if array is not None else None
    title = f"Remove {quoted(shown(allowed.text))}"
    return (Fix(title, (edit,), safe=safe, preferred=preferred),) if edit is not None else ()


def become_default(allowed: Allowed) -> Fix:
    """The fix of the only one: what is allowed by default in its place."""
    default = quoted(TcbStatus.UP_TO_DATE.value)
    return Fix(f"Change to {default}, the default", (Edit(allowed.span, default),))
