"""`insecure-pccs-url`: collateral over a connection that anyone can change."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.urls import Url, parse_url

from .rule import Rule

RULE = Rule(
    code="insecure-pccs-url",
    severity=Severity.ERROR,
    words="""
    Collateral is signed, but whoever stands between can withhold it or serve an older one.
    `pccs_url` must be https; only a loopback address may be http.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { pccs_url = "http://pccs.example/tdx/certification/v4" }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    text, policy = provider.pccs_url, provider.policy
    if text is None or policy is None:
        return
    url = parse_url(text)
    if not isinstance(url, Url) or url.scheme == "https" or url.is_loopback:
        return
    span = policy.entries["pccs_url"].value.span
    edit = Edit(span, quoted("https" + text[len("http") :]))
    fix = Fix("Use https", (edit,), safe=True, preferred=True)
    message = "`pccs_url` needs https: anyone on the way could serve outdated collateral"
    yield RULE.problem(span, message, fix, provider=provider.id)
