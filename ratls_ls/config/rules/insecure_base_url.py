"""`insecure-base-url`: an attested provider without TLS."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.urls import Url, parse_url

from .rule import Rule

RULE = Rule(
    code="insecure-base-url",
    severity=Severity.ERROR,
    words="""
    An attested provider must be reached over https: attestation binds the TEE to the TLS session,
    and without TLS there is nothing to bind it to.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "http://tee.example/v1"
    use_ratls = true
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    text = provider.base_url
    if text is None or not provider.attested:
        return
    url = parse_url(text)
    if not isinstance(url, Url) or url.scheme == "https":
        return
    span = provider.table.entries["base_url"].value.span
    edit = Edit(span, quoted("https" + text[len("http") :]))
    fix = Fix("Use https", (edit,), safe=True, preferred=True)
    message = "An attested provider needs https: there is no TLS session here to attest"
    yield RULE.problem(span, message, fix, provider=provider.id)
