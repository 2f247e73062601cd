"""`invalid-header`: a header that cannot be sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ratls_ls.config.headers import FRAMING, HEADER_NAME
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Table, is_half_typed, string_of
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="invalid-header",
    severity=Severity.ERROR,
    words="""
    A header's name must be a token (RFC 9110) and its value printable ASCII; Host,
    Content-Length, Transfer-Encoding, Connection and the like belong to the connection. Codex
    silently drops a header that it cannot send; ratls-ls refuses the request.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    http_headers = { Host = "other.example" }
    """,
)

_PRINTABLE = re.compile(r"[ -~]*")


def check(provider: ProviderTable) -> Iterator[Problem]:
    for table_name in ("http_headers", "env_http_headers"):
        table = provider.table.get(table_name)
        for entry in table if isinstance(table, Table) else ():
            name = entry.key.name
            if is_half_typed(entry.value):
                continue
            if not HEADER_NAME.fullmatch(name):
                message = f'"{shown(name)}" is no header name: Codex drops it'
                yield RULE.problem(entry.key.span, message, provider=provider.id)
            elif name.lower() in FRAMING:
                message = f"`{name}` belongs to the connection and cannot be set"
                yield RULE.problem(entry.key.span, message, provider=provider.id)
            elif not _PRINTABLE.fullmatch(string_of(entry.value) or ""):
                message = "A header's value must be printable ASCII: Codex drops this one"
                yield RULE.problem(entry.value.span, message, provider=provider.id)
