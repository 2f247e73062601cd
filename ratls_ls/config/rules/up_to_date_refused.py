"""`up-to-date-refused`: a policy that lets pass what is worse alone."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import add_item, quoted, weakening
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.rats.policy import TcbStatus

from .rule import Rule

RULE = Rule(
    code="up-to-date-refused",
    severity=Severity.INFORMATION,
    words="""
    `allowed_tdx_status` replaces the default, `["UpToDate"]`. Without UpToDate in it a server is
    refused as soon as its platform is as it should be.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { allowed_tdx_status = ["SWHardeningNeeded"] }
    """,
)

_OTHERS = frozenset(TcbStatus) - {TcbStatus.UP_TO_DATE, TcbStatus.REVOKED}


def check(provider: ProviderTable) -> Iterator[Problem]:
    array = provider.status_array
    statuses = {found.status for found in provider.allowed}
    # A word that is no status may yet turn out to be this one.
    if array is None or not statuses & _OTHERS or statuses & {TcbStatus.UP_TO_DATE, None}:
        return
    word = quoted(TcbStatus.UP_TO_DATE.value)
    fix = Fix(weakening(f"Allow {word}, too"), (add_item(array, word),))
    message = f"{word} is not allowed: a platform that is as it should be is refused"
    yield RULE.problem(array.span, message, fix, provider=provider.id)
