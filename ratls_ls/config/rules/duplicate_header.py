"""`duplicate-header`: one header by two names."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Table, is_half_typed
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="duplicate-header",
    severity=Severity.WARNING,
    words="""
    The case of a header's name does not count. Of two keys that differ by it alone Codex sends one,
    and which of them may change with every start.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    http_headers = { X-Team = "blue", x-team = "red" }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for table_name in ("http_headers", "env_http_headers"):
        table = provider.table.get(table_name)
        first: dict[str, str] = {}
        for entry in table if isinstance(table, Table) else ():
            name = entry.key.name
            if is_half_typed(entry.value):
                continue
            other = first.setdefault(name.lower(), name)
            if other != name:
                message = f"The same header as `{shown(other)}`: Codex sends only one of them"
                yield RULE.problem(entry.key.span, message, provider=provider.id)
