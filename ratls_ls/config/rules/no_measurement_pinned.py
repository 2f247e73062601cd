"""`no-measurement-pinned`: any genuine TD will do."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.rats.policy import AppraisalPolicy

from .rule import Rule

RULE = Rule(
    code="no-measurement-pinned",
    severity=Severity.INFORMATION,
    words="""
    Without a single pin, attestation proves that a genuine TDX machine holds a certificate for
    the host, not what it runs. Pin at least `expected_bootchain` and `compose_hash`, from a build
    or a reviewed source.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    """,
)


def check(provider: ProviderTable, policy: AppraisalPolicy) -> Iterator[Problem]:
    if policy.pins:
        return
    entry = provider.policy_entry or provider.table.entries["use_ratls"]
    message = (
        "No measurement is pinned: any genuine TDX machine with a certificate for this host passes"
    )
    yield RULE.problem(entry.key.span, message, provider=provider.id)
