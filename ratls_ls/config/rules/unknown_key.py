"""`unknown-key`: a key that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import spelled, weakening
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.statuses import accepts_more_than_default
from ratls_ls.config.tables import ModelledKey, ProviderTable
from ratls_ls.config.words import nearest

from .misplaced_key import home_of
from .rule import Rule

RULE = Rule(
    code="unknown-key",
    severity=Severity.WARNING,
    words="""
    A key in a provider or its policy that neither Codex nor ratls-ls knows. Codex ignores it, so a
    misspelt pin is no pin. ratls-ls does not attest under a policy with an unknown key, since it
    may have been meant to refuse something.
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
    for key in provider.modelled_keys:
        if key.model is None and home_of(key.entry.key.name, key.path) is None:
            yield _unknown(provider, key)


def _unknown(provider: ProviderTable, key: ModelledKey) -> Problem:
    entry, _, table, parent, path = key
    name = entry.key.name
    meant = nearest(name, (child.name for child in parent.children))
    effect = (
        "Codex ignores it and ratls-ls does not attest under a policy it does not fully know"
        if path
        else "Codex ignores it"
    )
    if meant is None or meant in table.entries:
        message = f"Unknown key `{name}`: {effect}"
        return RULE.problem(entry.key.span, message, provider=provider.id)
    message = f"Unknown key `{name}`: {effect}. Did you mean `{meant}`?"
    title = f"Rename to `{meant}`"
    weakens = meant == "allowed_tdx_status" and accepts_more_than_default(entry.value)
    edits = tuple(Edit(key.span, spelled(meant)) for key in entry.keys)
    fix = Fix(weakening(title) if weakens else title, edits, preferred=not weakens)
    return RULE.problem(entry.key.span, message, fix, provider=provider.id)
