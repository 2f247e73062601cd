"""`unknown-wire-api`: an API that Codex does not know."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.keys import WIRE_APIS
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.words import nearest, shown

from .rule import Rule

RULE = Rule(
    code="unknown-wire-api",
    severity=Severity.ERROR,
    words="""
    `wire_api` is "chat" or "responses" (upstream only "responses"). Codex refuses to start with
    anything else.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    wire_api = "Chat"
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    text = provider.string("wire_api")
    if text is None or text in WIRE_APIS:
        return
    span = provider.table.entries["wire_api"].value.span
    meant = nearest(text, WIRE_APIS)
    fixes: tuple[Fix, ...] = ()
    if meant is not None:
        title = f"Change to {quoted(meant)}"
        fixes = (Fix(title, (Edit(span, quoted(meant)),), preferred=True),)
    message = f'"{shown(text)}" is no wire API: "chat" and "responses" are. Codex refuses to start'
    yield RULE.problem(span, message, *fixes, provider=provider.id)
