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
    longer pin never matches, and the RA-TLS fork panics over it.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true

    [model_providers.tee.ratls_policy]
    os_image_hash = "000000000000000000000000000000000000000000000000000000000000000000"
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for found in provider.measurements:
        value = found.value
        if value is not None and len(value) > found.size:
            message = (
                f"{len(value)} bytes where {found.size} is all there are: never matches, and the"
                " RA-TLS fork panics"
            )
            yield RULE.problem(found.span, message, provider=provider.id)
