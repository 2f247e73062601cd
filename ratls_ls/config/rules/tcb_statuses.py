"""What the rules about `allowed_tdx_status` share. Not a rule."""

from __future__ import annotations

from ratls_ls.config.edits import quoted, remove_item
from ratls_ls.config.problem import Fix
from ratls_ls.config.statuses import Allowed
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.words import shown


def remove_status(
    provider: ProviderTable, allowed: Allowed, *, safe: bool = False, preferred: bool = True
) -> tuple[Fix, ...]:
    """The fix that takes one out; none where that cannot be done."""
    array = provider.status_array
    edit = remove_item(provider, array, allowed.position) if array is not None else None
    title = f"Remove {quoted(shown(allowed.text))}"
    return (Fix(title, (edit,), safe=safe, preferred=preferred),) if edit is not None else ()
