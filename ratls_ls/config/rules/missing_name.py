"""`missing-name`: a provider without its required name."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import add_key, quoted
from ratls_ls.config.keys import BUILT_IN_IDS
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Table, is_half_typed

from .rule import Rule

RULE = Rule(
    code="missing-name",
    severity=Severity.ERROR,
    words="""
    Codex requires `name` of every provider and refuses to start without it.
    """,
    example="""
    [model_providers.tee]
    base_url = "https://tee.example/v1"
    """,
    of_absence=True,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    if provider.id in BUILT_IN_IDS or not isinstance(provider.entry.value, Table):
        return
    # What is only begun may be no id at all.
    if "name" in provider.table.entries or is_half_typed(provider.entry.value):
        return
    meant = provider.is_meant("name")
    edit = None if meant else add_key(provider, (), "name", quoted(provider.id))
    title = f"Add `name = {quoted(provider.id)}`"
    fixes = (Fix(title, (edit,), safe=True, preferred=True),) if edit else ()
    message = "`name` is missing: Codex requires it and refuses to start"
    yield RULE.problem(provider.span, message, *fixes, provider=provider.id)
