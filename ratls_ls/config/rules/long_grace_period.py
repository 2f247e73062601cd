"""`long-grace-period`: a limit that limits nothing for years."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import integer_of
from ratls_ls.rats.statuses import OUT_OF_DATE

from .rule import Rule
from .weak_tcb_status import THIRTY_DAYS

RULE = Rule(
    code="long-grace-period",
    severity=Severity.WARNING,
    words="""
    `grace_period` is in seconds. More than a year of them lets a platform pass whose weaknesses
    have been known, with a fix at hand, for as long.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { allowed_tdx_status = ["OutOfDate"], grace_period = 999999999 }
    """,
)

_DAY = 24 * 60 * 60
_YEAR = 366 * _DAY


def check(provider: ProviderTable) -> Iterator[Problem]:
    policy = provider.policy
    value = policy.get("grace_period") if policy is not None else None
    seconds = integer_of(value)
    if value is None or seconds is None or seconds <= _YEAR:
        return
    if not any(found.status in OUT_OF_DATE for found in provider.allowed):
        return
    days = f"{seconds // _DAY:,}".replace(",", " ")
    fix = Fix("Limit it to 30 days", (Edit(value.span, str(THIRTY_DAYS)),))
    message = f"{days} days: a platform without security fixes passes for all that time"
    yield RULE.problem(value.span, message, fix, provider=provider.id)
