"""`conflicting-pins`: two pins that no server can satisfy together."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.rats.policy import Pin, Register

from .rule import Rule

RULE = Rule(
    code="conflicting-pins",
    severity=Severity.ERROR,
    words="""
    `min_tdx_tcb.mrtmrs` and `expected_bootchain.rtmr0` pin the same register, `compose_hash` and
    `app_compose` the same event. Where they differ, no server can pass.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy.compose_hash = "0000000000000000000000000000000000000000000000000000000000000000"
    ratls_policy.app_compose = "{}"
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    first: dict[Register, Pin] = {}
    for pin, span in provider.pins:
        other = first.setdefault(pin.register, pin)
        if other.value != pin.value:
            message = f"Differs from `{other.key}`, which pins the same value: no server can pass"
            yield RULE.problem(span, message, provider=provider.id)
