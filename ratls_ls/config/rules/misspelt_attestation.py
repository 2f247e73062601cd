"""`misspelt-attestation`: what should have been attested, or refused, is not."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.lost import lost_in
from ratls_ls.config.meant import bears_on_attestation, hint_for, home_of, is_called_so
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable, UnknownKey
from ratls_ls.config.toml.values import Table
from ratls_ls.config.words import shown

from .moving import become
from .rule import Rule

RULE = Rule(
    code="misspelt-attestation",
    severity=Severity.ERROR,
    words="""
    A key beside `base_url` that nobody knows and that looks like `use_ratls`, `ratls_policy` or one
    of the policy's keys; or, in an attested provider, a table that nobody knows, since it may have
    been the policy, and what looks like a pin: by the name of a register in its name, or by 32
    bytes of hex. Codex ignores it: it attests nothing, or under its default policy. ratls-ls
    then does not attest.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true

    [model_providers.tee.ratls_polcy]
    allowed_tdx_status = ["UpToDate"]
    """,
)

_SWITCH = ("use_ratls",)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for unknown in provider.strange_keys:
        if is_dangerous(provider, unknown):
            key = unknown.key.entry.key
            is_set = provider.attested and unknown.meant == _SWITCH
            message = f"Unknown key `{shown(key.name)}`: {_effect(unknown, is_set=is_set)}"
            if is_set:
                message += ". `use_ratls = true` is set already"
            elif unknown.meant is not None:
                message += f". Did you mean `{'.'.join(unknown.meant)}`?"
            elif (hint := hint_for(key.name)) is not None:
                message += f". {hint}"
            yield RULE.problem(key.span, message, *become(provider, unknown), provider=provider.id)


def is_dangerous(provider: ProviderTable, unknown: UnknownKey) -> bool:
    """Whether this key, in a provider's own table, is this rule's."""
    entry, path = unknown.key.entry, unknown.key.path
    name, value = entry.key.name, entry.value
    if path or home_of(name, path) is not None:
        return False
    if not bears_on_attestation(name, value, unknown.meant):
        return False
    return not unknown.is_begun if provider.attested else _is_certain(unknown)


def _is_certain(unknown: UnknownKey) -> bool:
    """Whether it is more than alike: where nothing is attested a key may well be of a Codex that is
    newer than this."""
    entry = unknown.key.entry
    inner = entry.value if isinstance(entry.value, Table) else ()
    return (
        unknown.meant == _SWITCH
        or is_called_so(entry.key.name, entry.value)
        or any(lost_in(each.key.name, each.value) is not None for each in (entry, *inner))
    )


def _effect(unknown: UnknownKey, *, is_set: bool) -> str:
    """`is_set`: whether it was meant as a switch that stands there as well."""
    if is_set:
        return "Codex ignores it; ratls-ls does not attest"
    if unknown.meant == _SWITCH:
        return "Codex ignores it and sends prompts without attestation"
    return "Codex ignores it, and what it was meant to refuse passes; ratls-ls does not attest"
