"""`reserved-provider-id`: a table under the id of a built-in provider."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.keys import RESERVED_IDS
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="reserved-provider-id",
    severity=Severity.ERROR,
    words="""
    `openai`, `ollama` and `lmstudio` are built in. The RA-TLS fork silently ignores a table under
    such an id, `use_ratls` and policy included; upstream Codex refuses to start.
    """,
    example="""
    [model_providers.openai]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    if provider.id not in RESERVED_IDS:
        return
    message = (
        f"`{provider.id}` is a built-in provider: the RA-TLS fork ignores this whole table,"
        " upstream Codex refuses to start. Choose another id"
    )
    yield RULE.problem(provider.id_spans[0], message, provider=provider.id)
