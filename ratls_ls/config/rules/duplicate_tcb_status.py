"""`duplicate-tcb-status`: a TCB status allowed twice."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule
from .tcb_statuses import remove_status

RULE = Rule(
    code="duplicate-tcb-status",
    severity=Severity.HINT,
    words="""
    The second mention of a status changes nothing.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { allowed_tdx_status = ["UpToDate", "UpToDate"] }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    seen = set()
    for found in provider.status_words:
        if found.status is None:
            continue
        if found.status in seen:
            fixes = remove_status(provider, found, safe=True)
            message = f'"{found.status.value}" is already allowed'
            yield RULE.problem(found.span, message, *fixes, provider=provider.id)
        seen.add(found.status)
