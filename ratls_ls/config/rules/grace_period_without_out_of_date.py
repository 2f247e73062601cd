"""`grace-period-without-out-of-date`: a limit on what is not allowed anyway."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import remove_key
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.statuses import MEANINGS
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.values import Array

from .rule import Rule

RULE = Rule(
    code="grace-period-without-out-of-date",
    severity=Severity.WARNING,
    words="""
    `grace_period` limits how long an allowed OutOfDate passes. Where no OutOfDate status is
    allowed it has no effect.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { allowed_tdx_status = ["UpToDate"], grace_period = 86400 }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    policy = provider.policy
    entry = policy.entries.get("grace_period") if policy is not None else None
    allowed = policy.get("allowed_tdx_status") if policy is not None else None
    if entry is None or not isinstance(allowed, Array | None):
        return
    if any(found.status and MEANINGS[found.status].out_of_date for found in provider.allowed):
        return
    edit = remove_key(provider, entry)
    fixes = (Fix("Remove `grace_period`", (edit,), safe=True, preferred=True),) if edit else ()
    message = "`grace_period` has no effect: no OutOfDate status is allowed"
    yield RULE.problem(entry.key.span, message, *fixes, provider=provider.id)
