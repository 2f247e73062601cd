"""`capped-retries`: more retries than Codex makes."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.values import Scalar

from .rule import Rule

RULE = Rule(
    code="capped-retries",
    severity=Severity.HINT,
    words="""
    Codex takes more than 100 retries for 100.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    request_max_retries = 1000
    """,
)

_MOST = 100


def check(provider: ProviderTable) -> Iterator[Problem]:
    for key in ("request_max_retries", "stream_max_retries"):
        value = provider.table.get(key)
        if isinstance(value, Scalar) and isinstance(value.value, int) and value.value > _MOST:
            fix = Fix("Write 100", (Edit(value.span, str(_MOST)),), safe=True, preferred=True)
            message = f"Codex takes more than {_MOST} retries for {_MOST}"
            yield RULE.problem(value.span, message, fix, provider=provider.id)
