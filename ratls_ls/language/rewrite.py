"""Edits of one provider's policy, judged by what they leave.

Invariant: an edit that would change any other provider, or leave this one invalid, is not made.
"""

from __future__ import annotations

from collections.abc import Iterable

from ratls_ls.config.check import apply
from ratls_ls.config.edits import add_keys, innermost
from ratls_ls.config.model import Provider
from ratls_ls.config.problem import Edit
from ratls_ls.config.read import ConfigFile, ProviderTable, read

Values = Iterable[tuple[tuple[str, ...], str]]
"""Keys, each by its path under `ratls_policy`, with TOML text."""


def policy_edits(table: ProviderTable, values: Values) -> list[Edit]:
    """Edits that add each key to the innermost table that is there, the rest said by dots."""
    missing: dict[tuple[str, ...], list[tuple[tuple[str, ...], str]]] = {}
    for path, value in values:
        whole = ("ratls_policy", *path)
        inside = innermost(table, whole[:-1])
        missing.setdefault(inside, []).append((whole[len(inside) :], value))
    edits = (add_keys(table, inside, keys) for inside, keys in missing.items())
    return [edit for edit in edits if edit is not None]


def provider_after(file: ConfigFile, provider: str, edits: Iterable[Edit]) -> Provider | None:
    """The provider as `edits` leave it; None if that is none, or if any other changed."""
    after = read(apply(file.text, edits), file, file.base)
    before = {name: table.provider for name, table in file.providers.items()}
    changed = {name: table.provider for name, table in after.providers.items()}
    before.pop(provider, None)
    found = changed.pop(provider, None)
    return found if before == changed else None
