"""A TCB status that the policy refused, allowed after all.

Invariant: the policy then accepts this status and nothing else that is new; Revoked never.
"""

from __future__ import annotations

from dataclasses import replace

from ratls_ls.config.edits import add_item, quoted
from ratls_ls.config.problem import Edit
from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.config.toml.values import Array
from ratls_ls.rats.policy import TcbStatus

from .rewrite import policy_edits, provider_after


def allow(file: ConfigFile, table: ProviderTable, status: TcbStatus) -> list[Edit]:
    """Edits that add `status` to `allowed_tdx_status`; none if it cannot be done."""
    if table.provider is None or status is TcbStatus.REVOKED:
        return []
    policy = table.provider.policy
    written = table.table.get("ratls_policy", "allowed_tdx_status")
    if isinstance(written, Array):
        edits = [add_item(written, quoted(status.value))]
    else:
        # The list replaces the default, which must go on to pass.
        both = f"[{quoted(TcbStatus.UP_TO_DATE.value)}, {quoted(status.value)}]"
        edits = policy_edits(table, [(("allowed_tdx_status",), both)])
    after = provider_after(file, table.id, edits)
    wider = policy._replace(allowed_tcb_status=policy.allowed_tcb_status | {status})
    return edits if after == replace(table.provider, policy=wider) and wider != policy else []
