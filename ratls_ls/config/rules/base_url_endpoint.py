"""`base-url-endpoint`: an endpoint where the base of all endpoints must be."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="base-url-endpoint",
    severity=Severity.WARNING,
    words="""
    Codex appends /chat/completions or /responses to `base_url`. A base that already ends so gives
    a path that no server has.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1/chat/completions"
    use_ratls = true
    """,
)

_ENDPOINTS = ("/chat/completions", "/responses", "/models", "/completions")


def check(provider: ProviderTable) -> Iterator[Problem]:
    text = provider.base_url
    endpoint = next((e for e in _ENDPOINTS if text and text.rstrip("/").endswith(e)), None)
    if text is None or endpoint is None:
        return
    span = provider.table.entries["base_url"].value.span
    base = text.rstrip("/").removesuffix(endpoint)
    fix = Fix(f"Remove `{endpoint}`", (Edit(span, quoted(base)),), preferred=True)
    message = f"Codex appends the endpoint itself: leave out `{endpoint}`"
    yield RULE.problem(span, message, fix, provider=provider.id)
