"""`policy-without-use-ratls`: a policy that nobody applies."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import add_key
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Scalar

from .rule import Rule

RULE = Rule(
    code="policy-without-use-ratls",
    severity=Severity.ERROR,
    words="""
    A `ratls_policy` counts only with `use_ratls = true`. Without that Codex attests nothing and
    sends prompts over plain TLS, whatever the policy says. A policy without the switch, or without
    a `base_url`, may be that of any provider, under a wrong id: then ratls-ls attests none.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"

    [model_providers.tee.ratls_policy]
    allowed_tdx_status = ["UpToDate"]
    """,
    of_absence=True,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    policy = provider.policy_entry
    switch = provider.table.entries.get("use_ratls")
    if policy is None or provider.attested:
        return
    if switch is None:
        meant = provider.is_meant("use_ratls")
        edit = None if meant else add_key(provider, (), "use_ratls", "true")
        fixes = (Fix("Add `use_ratls = true`", (edit,), safe=True, preferred=True),) if edit else ()
        message = "This policy has no effect without `use_ratls = true`: prompts go over plain TLS"
        if provider.is_policy_alone:
            message += ". It may be any provider's: ratls-ls attests none"
        yield RULE.problem(policy.key.span, message, *fixes, provider=provider.id)
    elif isinstance(switch.value, Scalar) and switch.value.value is False:
        fix = Fix("Set `use_ratls = true`", (Edit(switch.value.span, "true"),), preferred=True)
        message = "`use_ratls = false` turns the policy off: prompts go over plain TLS"
        yield RULE.problem(switch.value.span, message, fix, provider=provider.id)
