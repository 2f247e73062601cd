"""`weakened-in-profile`: a profile's file lets pass what the user's own config refuses."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import remove_key
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Scalar, integer_of
from ratls_ls.rats.policy import TcbStatus

from .rule import Rule

RULE = Rule(
    code="weakened-in-profile",
    severity=Severity.ERROR,
    words="""
    The file of a profile is laid over the user's own `config.toml`, key by key. This one turns the
    attestation of a provider off that is attested there, or widens its policy: by a TCB status or a
    longer `grace_period`. With this profile prompts go to what was to be refused; the name of the
    provider does not tell. Define another provider for it. ratls-ls attests none so weakened.
    """,
    example="""
    [model_providers.tee]
    use_ratls = false
    """,
)


def check(provider: ProviderTable, base: ProviderTable) -> Iterator[Problem]:
    """`provider`: as it stands in the profile's file, over `base`."""
    if not base.attested:
        return
    switch = provider.table.entries.get("use_ratls")
    # With a policy it is `policy-without-use-ratls`.
    policy = provider.policy_entry or base.policy_entry
    if (
        policy is None
        and switch is not None
        and isinstance(switch.value, Scalar)
        and switch.value.value is False
    ):
        edit = remove_key(provider, switch)
        fixes = (Fix("Remove `use_ratls = false`", (edit,), preferred=True),) if edit else ()
        message = (
            f"With this profile `{provider.id}` is no longer attested, as it is by config.toml:"
            " prompts go over plain TLS"
        )
        yield RULE.problem(switch.value.span, message, *fixes, provider=provider.id)
    yield from _statuses(provider, base)
    yield from _grace(provider, base)


def _statuses(provider: ProviderTable, base: ProviderTable) -> Iterator[Problem]:
    below = {found.status for found in base.allowed}
    if base.status_array is None:
        below = {TcbStatus.UP_TO_DATE}
    for found in provider.allowed:
        if found.status is not None and found.status not in below:
            message = f"config.toml does not let {found.status.value} pass, this profile does"
            yield RULE.problem(found.span, message, provider=provider.id)


def _grace(provider: ProviderTable, base: ProviderTable) -> Iterator[Problem]:
    own = provider.policy.get("grace_period") if provider.policy is not None else None
    below = base.policy.get("grace_period") if base.policy is not None else None
    seconds, limit = integer_of(own), integer_of(below)
    if own is not None and seconds is not None and limit is not None and seconds > limit:
        message = f"config.toml limits `grace_period` to {limit} s, this profile to more"
        yield RULE.problem(own.span, message, provider=provider.id)
