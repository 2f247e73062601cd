"""`competing-credentials`: two credentials for one request."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Entry, Scalar, Table

from .rule import Rule

RULE = Rule(
    code="competing-credentials",
    severity=Severity.WARNING,
    words="""
    `auth` excludes `env_key`, `experimental_bearer_token` and `requires_openai_auth`: upstream
    Codex refuses to start with both. With `env_key` and `experimental_bearer_token` the first
    counts, and an Authorization header beside either is replaced.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    env_key = "TEE_KEY"
    experimental_bearer_token = "…"
    """,
)

_TOKENS = ("env_key", "experimental_bearer_token")


def check(provider: ProviderTable) -> Iterator[Problem]:
    entries = provider.table.entries
    present = [entries[key] for key in (*_TOKENS, "requires_openai_auth") if key in entries]
    present = [entry for entry in present if not _is_false(entry)]
    if "auth" in entries and present:
        message = f"`auth` excludes `{present[0].key.name}`: upstream Codex refuses to start"
        yield RULE.problem(entries["auth"].key.span, message, provider=provider.id)
    tokens = [entry for entry in present if entry.key.name in _TOKENS]
    if len(tokens) > 1:
        message = "`env_key` counts, this token does not: keep one of them"
        yield RULE.problem(tokens[1].key.span, message, provider=provider.id)
    if tokens:
        for header in _authorization(provider):
            message = f"`{tokens[0].key.name}` sets Authorization too, and counts: keep one of them"
            yield RULE.problem(header.key.span, message, provider=provider.id)


def _is_false(entry: Entry) -> bool:
    return isinstance(entry.value, Scalar) and entry.value.value is False


def _authorization(provider: ProviderTable) -> Iterator[Entry]:
    for name in ("http_headers", "env_http_headers"):
        table = provider.table.get(name)
        for entry in table if isinstance(table, Table) else ():
            if entry.key.name.lower() == "authorization":
                yield entry
