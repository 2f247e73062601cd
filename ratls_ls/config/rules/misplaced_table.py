"""`misplaced-table`: provider settings where nobody reads them."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.values import Entry, Table

from .rule import Rule

RULE = Rule(
    code="misplaced-table",
    severity=Severity.ERROR,
    words="""
    `use_ratls`, `ratls_policy` and `base_url` count in `[model_providers.<id>]` alone. At the
    top, in a profile, or under a misspelt `model_provider` Codex ignores them or refuses to
    start.
    """,
    example="""
    [ratls_policy]
    allowed_tdx_status = ["UpToDate"]
    """,
)

_PROVIDERS_OWN = ("use_ratls", "ratls_policy", "base_url", "env_key", "wire_api")
_NO_IDS = ("ratls_policy", "use_ratls")
_MISSPELT = ("model_provider", "model-providers", "modelproviders", "model_provider_info")


def check_root(root: Table) -> Iterator[Problem]:
    for entry, message in _misplaced(root):
        yield RULE.problem(entry.key.span, message)
    providers = root.get("model_providers")
    for entry in providers if isinstance(providers, Table) else ():
        name = entry.key.name
        if name in _NO_IDS:
            message = f"`{name}` belongs under a provider's id: [model_providers.<id>]"
            yield RULE.problem(entry.key.span, message, provider=name)


def _misplaced(root: Table) -> Iterator[tuple[Entry, str]]:
    yield from _own_keys(root)
    for name in _MISSPELT:
        entry = root.entries.get(name)
        if entry is not None and isinstance(entry.value, Table) and entry.value.entries:
            yield entry, f"Providers stand under `model_providers`, not `{name}`"
    profiles = root.get("profiles")
    for profile in profiles if isinstance(profiles, Table) else ():
        if isinstance(profile.value, Table):
            yield from _own_keys(profile.value)


def _own_keys(table: Table) -> Iterator[tuple[Entry, str]]:
    for name in _PROVIDERS_OWN:
        entry = table.entries.get(name)
        if entry is not None:
            yield entry, f"`{name}` belongs into [model_providers.<id>]; here Codex ignores it"
