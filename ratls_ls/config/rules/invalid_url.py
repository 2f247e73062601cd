"""`invalid-url`: a URL that parsers read differently or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.urls import QUERY, USER_INFORMATION, parse_url

from .rule import Rule

RULE = Rule(
    code="invalid-url",
    severity=Severity.ERROR,
    words="""
    `base_url` or `pccs_url` has no host, or holds what a URL in a config must not have: user
    information, a query, a fragment, blanks, backslashes, dot segments. Two programs could read
    such a URL as two different hosts.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example@evil.example/v1"
    """,
)


_BASE_URL = ("base_url",)
_INSTEAD = {
    USER_INFORMATION: "; name a variable in `env_key` instead",
    QUERY: "; write `query_params` instead",
}


def check(provider: ProviderTable) -> Iterator[Problem]:
    for path in (_BASE_URL, ("ratls_policy", "pccs_url")):
        text = provider.string(*path)
        fault = parse_url(text) if text is not None else None
        value = provider.table.get(*path) if isinstance(fault, str) else None
        if isinstance(fault, str) and value is not None:
            instead = _INSTEAD.get(fault, "") if path == _BASE_URL else ""
            yield RULE.problem(value.span, f"`{path[-1]}` {fault}{instead}", provider=provider.id)
