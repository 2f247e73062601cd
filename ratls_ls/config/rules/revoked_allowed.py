"""`revoked-allowed`: a platform with revoked keys is let through."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.rats.policy import TcbStatus

from .rule import Rule
from .tcb_statuses import become_default, remove_status

RULE = Rule(
    code="revoked-allowed",
    severity=Severity.ERROR,
    words="""
    The keys of a platform with status Revoked are known to be out of Intel's control: anyone may
    have made its quote. ratls-ls never accepts it; older verifiers do if the policy says so.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { allowed_tdx_status = ["UpToDate", "Revoked"] }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    allowed = provider.status_words
    others = any(found.status is not TcbStatus.REVOKED for found in allowed)
    for found in allowed:
        if found.status is TcbStatus.REVOKED:
            fixes = remove_status(provider, found, safe=True)
            if not others and provider.status_array is not None:
                fixes = (become_default(found),)
            message = (
                "Revoked must not be allowed: such a platform's keys are compromised. Older"
                " verifiers let it through, ratls-ls never does"
            )
            yield RULE.problem(found.span, message, *fixes, provider=provider.id)
