"""`invalid-url`: a URL that parsers read differently or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.span import Span
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.urls import KEY, QUERY, USER_INFORMATION, Url, parse_url

from .rule import Rule

RULE = Rule(
    code="invalid-url",
    severity=Severity.ERROR,
    words="""
    `base_url` or `pccs_url` has no host, or an API key where its host belongs, or holds what a URL
    in a config must not have: user information, a query, a fragment, blanks, backslashes, dot
    segments. Two programs could read such a URL as two different hosts.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example@evil.example/v1"
    """,
)


_BASE_URL = ("base_url",)
_VARIABLE = "; name a variable in `env_key` instead"
_INSTEAD = {
    USER_INFORMATION: _VARIABLE,
    KEY: _VARIABLE,
    QUERY: "; write `query_params` instead",
}


def check(provider: ProviderTable) -> Iterator[Problem]:
    return _check(provider, provider.base_url, "base_url")


def check_policy(provider: ProviderTable) -> Iterator[Problem]:
    return _check(provider, provider.pccs_url, "ratls_policy", "pccs_url")


def _check(provider: ProviderTable, text: str | None, *path: str) -> Iterator[Problem]:
    fault = parse_url(text) if text is not None else None
    value = provider.table.get(*path) if isinstance(fault, str) else None
    if isinstance(fault, str) and value is not None:
        instead = _INSTEAD.get(fault, "") if path == _BASE_URL else ""
        fixes = _fixes(text or "", value.span)
        message = f"`{path[-1]}` {fault}{instead}"
        yield RULE.problem(value.span, message, *fixes, provider=provider.id)


def _fixes(text: str, span: Span) -> tuple[Fix, ...]:
    """What was forgotten or put in around a URL that is none without or with it."""
    plain = text.strip()
    right = plain if "://" in plain else f"https://{plain}"
    url = parse_url(right)
    # A single word may be anything.
    if not isinstance(url, Url) or url.scheme != "https" or not re.search("[.:]", url.host):
        return ()
    title = "Remove the blanks" if right == plain else "Add `https://`"
    return (Fix(title, (Edit(span, quoted(right)),), preferred=True),)
