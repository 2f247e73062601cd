"""`short-measurement`: a pin that is not the whole value."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="short-measurement",
    severity=Severity.ERROR,
    words="""
    Registers hold 48 bytes (SHA-384), the hashes of OS image and app-compose 32 (SHA-256). The
    RA-TLS fork compares a shorter `mrseam` or `mrtmrs` as a prefix, which is easier to meet.
    ratls-ls compares whole values, which a short pin never matches: it does not attest under one.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy.min_tdx_tcb.mrseam = "0011"
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for found in provider.measurements:
        value = found.value
        if value and len(value) < found.size:
            fork = "; the RA-TLS fork compares a prefix only" if found.in_fork else ""
            message = (
                f"{len(value)} of {found.size} bytes: ratls-ls does not attest under a part of a"
                f" pin{fork}. Write the full value"
            )
            yield RULE.problem(found.span, message, provider=provider.id)
