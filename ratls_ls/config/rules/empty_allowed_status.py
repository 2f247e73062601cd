"""`empty-allowed-status`: a policy that nothing can satisfy."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import add_item
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="empty-allowed-status",
    severity=Severity.ERROR,
    words="""
    `allowed_tdx_status = []` allows no status, so no server can pass. Leave the key out for the
    default, `["UpToDate"]`.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { allowed_tdx_status = [] }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    array = provider.status_array
    if array is None or array.items:
        return
    fix = Fix('Allow "UpToDate" alone, the default', (add_item(array, '"UpToDate"'),))
    message = 'No TCB status is allowed, so no server can pass; the default is ["UpToDate"]'
    yield RULE.problem(array.span, message, fix, provider=provider.id)
