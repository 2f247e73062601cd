"""`empty-measurement`: a pin that matches everything."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import remove_key, weakening
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="empty-measurement",
    severity=Severity.ERROR,
    words="""
    The RA-TLS fork compares as many bytes as `mrseam` or `mrtmrs` has, so an empty one matches
    every server. ratls-ls does not attest under a policy with an empty pin.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy.min_tdx_tcb.mrseam = ""
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for found in provider.measurements:
        if found.digits != "":
            continue
        edit = remove_key(provider, found.entry)
        title = weakening(f"Remove the empty pin `{found.key}`")
        fixes = (Fix(title, (edit,)),) if edit else ()
        effect = (
            "in the RA-TLS fork it matches every server"
            if found.in_fork
            else "ratls-ls does not attest under it"
        )
        message = f"An empty pin: {effect}. Write the full value"
        yield RULE.problem(found.span, message, *fixes, provider=provider.id)
