"""`dotted-provider-id`: an id with a dot and without quotes."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="dotted-provider-id",
    severity=Severity.ERROR,
    words="""
    A dot in a header or key parts names: `[model_providers.gpt-4.1]` is a table `1` in the provider
    `gpt-4`, and Codex finds no provider `gpt-4.1`. An id with a dot needs quotes. ratls-ls says
    nothing else of such a provider until it has them.
    """,
    example="""
    [model_providers.gpt-4.1]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    right = quoted(provider.id)
    edits = tuple(Edit(span, right) for span in provider.id_spans)
    fix = Fix("Put the id in quotes", edits, preferred=True)
    message = (
        f"An id with a dot needs quotes: [model_providers.{right}]. As it stands Codex finds no"
        " such provider"
    )
    yield RULE.problem(provider.id_spans[0], message, fix, provider=provider.id)
