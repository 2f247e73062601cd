"""`long-measurement`: a pin that is longer than any value."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .invalid_measurement import in_fork
from .rule import Rule

RULE = Rule(
    code="long-measurement",
    severity=Severity.ERROR,
    words="""
    Registers hold 48 bytes (SHA-384), which are 96 hex digits, the hashes of OS image and
    app-compose 32 (SHA-256), which are 64. A longer pin never matches, so ratls-ls does not attest
    under one. The RA-TLS fork panics over such a `mrseam` or `mrtmrs`, and drops one of an odd
    number of digits without a word.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true

    [model_providers.tee.ratls_policy]
    compose_hash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00"
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for found in provider.measurements:
        count = found.length or 0
        if count > found.needed:
            message = (
                f"{count} digits where {found.needed} are all there are: ratls-ls does not attest"
                f" under this pin{in_fork(found, 'panics')}"
            )
            yield RULE.problem(found.span, message, provider=provider.id)
