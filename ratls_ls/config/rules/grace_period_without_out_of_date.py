"""`grace-period-without-out-of-date`: a limit on what is not allowed anyway."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import remove_key
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Array, Table
from ratls_ls.rats.statuses import OUT_OF_DATE

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
    of_absence=True,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    policy = provider.policy
    entry = policy.entries.get("grace_period") if policy is not None else None
    if policy is None or entry is None or not _is_list_known(provider, policy):
        return
    if any(found.status in OUT_OF_DATE for found in provider.allowed):
        return
    edit = remove_key(provider, entry)
    fixes = (Fix("Remove `grace_period`", (edit,), safe=True, preferred=True),) if edit else ()
    message = "`grace_period` has no effect: no OutOfDate status is allowed"
    yield RULE.problem(entry.key.span, message, *fixes, provider=provider.id)


def _is_list_known(provider: ProviderTable, policy: Table) -> bool:
    """Whether no list, word or key is left that may yet turn out to allow OutOfDate."""
    if provider.is_meant("ratls_policy", "allowed_tdx_status"):
        return False
    allowed = policy.get("allowed_tdx_status")
    if allowed is None:
        return True
    return (
        isinstance(allowed, Array)
        and len(provider.allowed) == len(allowed.items)
        and all(found.status is not None for found in provider.allowed)
    )
