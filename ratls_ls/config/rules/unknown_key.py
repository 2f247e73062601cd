"""`unknown-key`: a key that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.keys import RATLS_POLICY
from ratls_ls.config.lost import Lost, lost_in
from ratls_ls.config.meant import hint_for, home_of
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable, UnknownKey
from ratls_ls.config.words import shown

from .misspelt_attestation import is_dangerous
from .moving import become
from .rule import Rule

RULE = Rule(
    code="unknown-key",
    severity=Severity.WARNING,
    words="""
    A key in a provider or its policy that neither Codex nor ratls-ls knows. Codex ignores it, so a
    misspelt pin is no pin. `model_provider` in a provider, which selects none there, is an error.
    So is any in a policy: ratls-ls does not attest under it, since the key may have been meant to
    refuse something; but not an empty table whose header may be half typed.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy = { alowed_tdx_status = ["UpToDate"] }
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for unknown in provider.strange_keys:
        key = unknown.key
        if home_of(key.entry.key.name, key.path) is None and not is_dangerous(provider, unknown):
            yield _unknown(provider, unknown)


def _unknown(provider: ProviderTable, unknown: UnknownKey) -> Problem:
    key, meant = unknown
    name = key.entry.key.name
    is_in_doubt = bool(key.path) and not unknown.is_begun
    effect = (
        "Codex ignores it and ratls-ls does not attest under a policy it does not fully know"
        if is_in_doubt
        else "Codex ignores it"
    )
    message = f"Unknown key `{shown(name)}`: {effect}"
    # Beside the policy a key that is like one of it may be another's, if it got here.
    alike = meant is not None and not key.path and meant[0] == RATLS_POLICY.name
    fixes = become(provider, unknown) if not alike else ()
    hint = hint_for(name)
    selects = lost_in(name, key.entry.value) is Lost.SELECTION
    if selects:
        hint = "`model_provider` selects a provider at the top or in a profile"
    if hint is not None:
        message += f". {hint}"
    elif meant is not None and fixes:
        message += f". Did you mean `{'.'.join(_within(meant, key.path))}`?"
    found = RULE.problem(key.entry.key.span, message, *fixes, provider=provider.id)
    return found._replace(severity=Severity.ERROR) if is_in_doubt or selects else found


def _within(meant: tuple[str, ...], path: tuple[str, ...]) -> tuple[str, ...]:
    """`meant` as it is written in the table at `path`, or in full where that is another's."""
    return meant[len(path) :] if meant[: len(path)] == path else meant
