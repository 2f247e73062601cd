"""`forbidden-host`: a host that is never contacted."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.urls import Url, parse_url

from .rule import Rule

RULE = Rule(
    code="forbidden-host",
    severity=Severity.ERROR,
    words="""
    Link-local addresses and those of cloud metadata services hand out credentials of the machine,
    and what is no address of one host (0.0.0.0, multicast, broadcast) is no provider. ratls-ls
    never contacts them, in whatever IPv6 form an address is written.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://169.254.169.254/v1"
    use_ratls = true
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    return _check(provider, provider.base_url, "base_url")


def check_policy(provider: ProviderTable) -> Iterator[Problem]:
    return _check(provider, provider.pccs_url, "ratls_policy", "pccs_url")


def _check(provider: ProviderTable, text: str | None, *path: str) -> Iterator[Problem]:
    url = parse_url(text or "")
    value = provider.table.get(*path) if isinstance(url, Url) and url.refusal else None
    if isinstance(url, Url) and value is not None:
        message = f"`{url.host}` is {url.refusal}; it is never contacted"
        yield RULE.problem(value.span, message, provider=provider.id)
