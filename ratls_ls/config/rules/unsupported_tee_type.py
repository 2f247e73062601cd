"""`unsupported-tee-type`: another TEE than Intel TDX."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="unsupported-tee-type",
    severity=Severity.ERROR,
    words="""
    Intel TDX (`"Tdx"`) is the only TEE that can be verified. The RA-TLS fork takes every other word
    for `"Tdx"` without saying so; ratls-ls refuses it.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { tee_type = "SevSnp" }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    text = provider.string("ratls_policy", "tee_type")
    policy = provider.policy
    if text is None or text == "Tdx" or policy is None:
        return
    span = policy.entries["tee_type"].value.span
    only_case = text.lower() == "tdx"
    fix = Fix('Change to "Tdx"', (Edit(span, '"Tdx"'),), safe=only_case, preferred=True)
    message = (
        f'TEE type "{shown(text)}" is not supported: write "Tdx", for which the RA-TLS fork takes'
        " it anyway"
    )
    yield RULE.problem(span, message, fix, provider=provider.id)
