"""`unknown-tcb-status`: a word that no platform ever has as its status."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import quoted, weakening
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.statuses import Allowed
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.words import nearest, shown
from ratls_ls.rats.policy import TcbStatus

from .rule import Rule
from .tcb_statuses import become_default, remove_status

RULE = Rule(
    code="unknown-tcb-status",
    severity=Severity.ERROR,
    words="""
    `allowed_tdx_status` has a word that is no TCB status of Intel's. It never matches, so the
    server it was meant for is refused.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { allowed_tdx_status = ["UpToDateWithWarnings"] }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    allowed = provider.status_words
    for status in allowed:
        if status.status is None:
            yield _unknown(provider, allowed, status)


def _unknown(provider: ProviderTable, allowed: tuple[Allowed, ...], found: Allowed) -> Problem:
    message = f'"{shown(found.text)}" is no TCB status and never matches'
    fixes = []
    meant = nearest(found.text, (status.value for status in TcbStatus))
    there = {status.status for status in allowed} | {TcbStatus.REVOKED}
    if meant is not None and meant not in there:
        message += f'. Did you mean "{meant}"?'
        strict = meant == TcbStatus.UP_TO_DATE
        title = f"Change to {quoted(meant)}"
        edit = Edit(found.span, quoted(meant))
        fixes.append(Fix(title if strict else weakening(title), (edit,), preferred=strict))
    if len(allowed) > 1 or provider.status_array is None:
        fixes += remove_status(provider, found, preferred=not fixes)
    elif not fixes:
        fixes.append(become_default(found))
    return RULE.problem(found.span, message, *fixes, provider=provider.id)
