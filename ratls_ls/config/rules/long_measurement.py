"""`long-measurement`: a pin that is longer than any value."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="long-measurement",
    severity=Severity.ERROR,
    words="""
    Registers hold 48 bytes (SHA-384), the hashes of OS image and app-compose 32 (SHA-256). A
    longer pin never matches, and the RA-TLS fork panics over such a `mrseam` or `mrtmrs`.
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
        value = found.value
        if value is not None and len(value) > found.size:
            fork = ", and the RA-TLS fork panics" if found.in_fork else ""
            message = f"{len(value)} bytes where {found.size} is all there are: never matches{fork}"
            yield RULE.problem(found.span, message, provider=provider.id)
