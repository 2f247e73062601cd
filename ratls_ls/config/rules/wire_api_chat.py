"""`wire-api-chat`: an API that upstream Codex no longer speaks."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="wire-api-chat",
    severity=Severity.INFORMATION,
    words="""
    The RA-TLS fork speaks the chat API, and by default. Upstream Codex has removed it and refuses
    to start with `wire_api = "chat"`.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    wire_api = "chat"
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    if (provider.string("wire_api") or "").lower() == "chat":
        span = provider.table.entries["wire_api"].value.span
        message = 'The RA-TLS fork speaks "chat"; upstream Codex knows only "responses"'
        yield RULE.problem(span, message, provider=provider.id)
