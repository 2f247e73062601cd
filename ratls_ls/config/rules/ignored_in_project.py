"""`ignored-in-project`: providers where upstream Codex does not look."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="ignored-in-project",
    severity=Severity.WARNING,
    words="""
    Upstream Codex reads `model_providers` from the user's own config alone and ignores them in a
    project's `.codex/config.toml`: a cloned repository must not be able to redirect prompts.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    """,
)


def check(provider: ProviderTable, context: Context) -> Iterator[Problem]:
    if context.kind == "project":
        message = "Upstream Codex ignores providers in a project's config: define it in your own"
        yield RULE.problem(provider.span, message, provider=provider.id)
