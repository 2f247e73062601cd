"""`short-measurement`: a pin that is not the whole value."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .invalid_measurement import in_fork
from .rule import Rule

RULE = Rule(
    code="short-measurement",
    severity=Severity.ERROR,
    words="""
    Registers hold 48 bytes (SHA-384), which are 96 hex digits, the hashes of OS image and
    app-compose 32 (SHA-256), which are 64. The RA-TLS fork compares a shorter `mrseam` or `mrtmrs`
    as a prefix, which is easier to meet, and drops one of an odd number of digits without a word.
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
        count = found.length or 0
        if 0 < count < found.needed:
            message = (
                f"{count} of {found.needed} digits: ratls-ls does not attest under a part of a pin"
                f"{in_fork(found, 'compares a prefix only')}. Write the full value"
            )
            yield RULE.problem(found.span, message, provider=provider.id)
