"""`misplaced-table`: provider settings where nobody reads them."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.strays import stray_parts, stray_policies, stray_providers
from ratls_ls.config.values import Entry, Table
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="misplaced-table",
    severity=Severity.ERROR,
    words="""
    `use_ratls`, `ratls_policy` and `base_url` count in `[model_providers.<id>]` alone. At the
    top, in a profile, or under a misspelt `model_provider` Codex ignores them or refuses to
    start. While a policy stands at such a place ratls-ls does not attest whom it may have been
    meant for.
    """,
    example="""
    [ratls_policy]
    allowed_tdx_status = ["UpToDate"]
    """,
)

_PROVIDERS_OWN = ("use_ratls", "base_url", "env_key", "wire_api")


def check_root(root: Table) -> Iterator[Problem]:
    for entry in stray_policies(root):
        message = (
            f"`{shown(entry.key.name)}` belongs under a provider's id, as"
            " [model_providers.<id>.ratls_policy]; here Codex ignores it, and ratls-ls attests no"
            " provider while it may have been meant for any"
        )
        yield RULE.problem(entry.key.span, message)
    for entry in stray_parts(root):
        message = (
            f"`{shown(entry.key.name)}` belongs into a provider's policy; here Codex ignores it,"
            " and ratls-ls attests no provider without a policy while it may have been meant for it"
        )
        yield RULE.problem(entry.key.span, message)
    for entry in stray_providers(root):
        message = f"Providers stand under `model_providers`, not `{shown(entry.key.name)}`"
        yield RULE.problem(entry.key.span, message)
    for entry in _own_keys(root):
        message = f"`{entry.key.name}` belongs into [model_providers.<id>]; here Codex ignores it"
        yield RULE.problem(entry.key.span, message)
    providers = root.get("model_providers")
    switch = providers.entries.get("use_ratls") if isinstance(providers, Table) else None
    if switch is not None:
        message = "`use_ratls` belongs under a provider's id: [model_providers.<id>]"
        yield RULE.problem(switch.key.span, message, provider="use_ratls")


def _own_keys(root: Table) -> Iterator[Entry]:
    profiles = root.get("profiles")
    values = [profile.value for profile in profiles] if isinstance(profiles, Table) else []
    for table in (root, *(value for value in values if isinstance(value, Table))):
        yield from (table.entries[name] for name in _PROVIDERS_OWN if name in table.entries)
