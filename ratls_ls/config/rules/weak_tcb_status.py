"""`weak-tcb-status`: a platform without security fixes is let through."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import add_key
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.words import sentence
from ratls_ls.rats.policy import TcbStatus
from ratls_ls.rats.statuses import MEANINGS

from .rule import Rule

RULE = Rule(
    code="weak-tcb-status",
    severity=Severity.WARNING,
    words="""
    OutOfDate, OutOfDateConfigurationNeeded and TDRelaunchAdvised mean that known weaknesses of
    the platform are open: whoever exploits them can read what the TEE holds. With `grace_period`
    an out-of-date platform passes only for so many seconds after the date of its TCB level;
    TDRelaunchAdvised passes all the same.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { allowed_tdx_status = ["UpToDate", "OutOfDate"] }
    """,
    of_absence=True,
)

THIRTY_DAYS = 30 * 24 * 60 * 60


def check(provider: ProviderTable) -> Iterator[Problem]:
    policy = provider.policy
    limit = policy.entries.get("grace_period") if policy is not None else None
    # What is meant as one, and is told as that, may yet limit it.
    limited = limit is not None or provider.is_meant("ratls_policy", "grace_period")
    seen = {TcbStatus.REVOKED}
    for found in provider.status_words:
        if found.status is None or found.status in seen:
            continue
        seen.add(found.status)
        meaning = MEANINGS[found.status]
        if not meaning.weak or (meaning.out_of_date and limited):
            continue
        fixes = _limit(provider) if meaning.out_of_date else ()
        advice = "; limit it with `grace_period`" if meaning.out_of_date else ""
        if limit is not None:
            advice = "; `grace_period` does not limit it"
        message = (
            f"{found.status.value}: {sentence(meaning.meaning)} This lets it pass for ever{advice}"
        )
        yield RULE.problem(found.span, message, *fixes, provider=provider.id)


def _limit(provider: ProviderTable) -> tuple[Fix, ...]:
    edit = add_key(provider, ("ratls_policy",), "grace_period", str(THIRTY_DAYS))
    return (Fix("Limit it to 30 days with `grace_period`", (edit,)),) if edit else ()
