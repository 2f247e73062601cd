"""`tcb-status-case`: a TCB status written in another case."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="tcb-status-case",
    severity=Severity.HINT,
    words="""
    Statuses are compared without case, here and by the RA-TLS fork; Intel's own spelling is
    easier to search for.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { allowed_tdx_status = ["uptodate"] }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for found in provider.status_words:
        if found.status is not None and found.text != found.status.value:
            right = quoted(found.status.value)
            fix = Fix(f"Change to {right}", (Edit(found.span, right),), safe=True, preferred=True)
            message = f"Intel writes {right}; case does not count here"
            yield RULE.problem(found.span, message, fix, provider=provider.id)
