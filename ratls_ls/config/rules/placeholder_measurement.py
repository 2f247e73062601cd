"""`placeholder-measurement`: a pin that stands for a value still to come."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.rats.policy import Register

from .rule import Rule

RULE = Rule(
    code="placeholder-measurement",
    severity=Severity.WARNING,
    words="""
    A pin of one byte over and over is no SHA-384 or SHA-256 value of anything, so no server passes.
    Only RTMR0 to RTMR2 can be all zeros: where nothing was measured into them, which then says
    nothing of what booted.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy.compose_hash = "0000000000000000000000000000000000000000000000000000000000000000"
    """,
)

_MAY_BE_ZERO = (Register.RTMR0, Register.RTMR1, Register.RTMR2)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for pin, span in provider.pins:
        if len(set(pin.value)) > 1:
            continue
        if not any(pin.value) and pin.register in _MAY_BE_ZERO:
            message = "All zeros: a register into which nothing was measured, so it pins nothing"
        else:
            message = "A placeholder: no server has this value, so none can pass"
        yield RULE.problem(span, message, provider=provider.id)
