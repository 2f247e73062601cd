"""`missing-pccs-url`: a policy that names no source of collateral."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import add_key, quoted
from ratls_ls.config.model import DEFAULT_PCCS_URL
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="missing-pccs-url",
    severity=Severity.INFORMATION,
    words="""
    With a policy but without `pccs_url` the RA-TLS fork has no collateral to verify quotes with
    and refuses every server. ratls-ls asks Phala Network's PCCS then.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { tee_type = "Tdx" }
    """,
    of_absence=True,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    policy, entry = provider.policy, provider.policy_entry
    if policy is None or entry is None or "pccs_url" in policy.entries:
        return
    meant = provider.is_meant("ratls_policy", "pccs_url")
    url = quoted(DEFAULT_PCCS_URL)
    edit = None if meant else add_key(provider, ("ratls_policy",), "pccs_url", url)
    title = "Add `pccs_url` of Phala Network"
    fixes = (Fix(title, (edit,), safe=True, preferred=True),) if edit else ()
    message = (
        "Without `pccs_url` the RA-TLS fork refuses every server; ratls-ls uses Phala Network's"
    )
    yield RULE.problem(entry.key.span, message, *fixes, provider=provider.id)
