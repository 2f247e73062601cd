"""`literal-credential`: a secret in the file itself."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Entry, Table, string_of

from .rule import Rule

RULE = Rule(
    code="literal-credential",
    severity=Severity.WARNING,
    words="""
    Whoever reads, backs up or shares the config has this credential. Name an environment variable
    with `env_key` or `env_http_headers` instead.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    experimental_bearer_token = "…"
    """,
)

_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie"}
)
_SECRET_PARAMETERS = frozenset(
    {"key", "api-key", "api_key", "apikey", "token", "access_token", "sig", "signature"}
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for entry, instead in credentials(provider):
        message = f"A credential in the file: {instead}"
        yield RULE.problem(entry.span, message, provider=provider.id)


def credentials(provider: ProviderTable) -> Iterator[tuple[Entry, str]]:
    """The entries that hold one, and what to do instead."""
    for entry, instead in _entries_for_one(provider):
        if string_of(entry.value):
            yield entry, instead


def _entries_for_one(provider: ProviderTable) -> Iterator[tuple[Entry, str]]:
    token = provider.table.entries.get("experimental_bearer_token")
    if token is not None:
        yield token, "name a variable with `env_key` instead"
    for entry in _entries(provider, "http_headers"):
        if entry.key.name.lower() in _SECRET_HEADERS:
            yield entry, "name a variable with `env_http_headers` or `env_key` instead"
    for entry in _entries(provider, "query_params"):
        if entry.key.name.lower() in _SECRET_PARAMETERS:
            yield entry, "and URLs end up in logs; send it in a header, with `env_http_headers`"


def _entries(provider: ProviderTable, key: str) -> Iterator[Entry]:
    table = provider.table.get(key)
    yield from table if isinstance(table, Table) else ()
