"""`capped-retries`: more retries than Codex makes."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.keys import MOST_RETRIES
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import integer_of

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


def check(provider: ProviderTable) -> Iterator[Problem]:
    for key in ("request_max_retries", "stream_max_retries"):
        value = provider.table.get(key)
        if value is not None and (integer_of(value) or 0) > MOST_RETRIES:
            edit = Edit(value.span, str(MOST_RETRIES))
            fix = Fix(f"Write {MOST_RETRIES}", (edit,), safe=True, preferred=True)
            message = f"Codex takes more than {MOST_RETRIES} retries for {MOST_RETRIES}"
            yield RULE.problem(value.span, message, fix, provider=provider.id)
