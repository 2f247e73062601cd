"""`misplaced-key`: a known key in a table where nobody reads it."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import add_key, remove_key, weakening
from ratls_ls.config.keys import PROVIDER, KeyModel
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.span import Span
from ratls_ls.config.statuses import accepts_more_than_default
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.values import Entry, Table

from .rule import Rule

RULE = Rule(
    code="misplaced-key",
    severity=Severity.ERROR,
    words="""
    A key that belongs into another table: a pin beside `use_ratls` instead of under
    `ratls_policy`, or `base_url` under the policy. Codex ignores it there, so the policy is weaker
    than it looks.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    allowed_tdx_status = ["UpToDate"]
    """,
)


def _homes(model: KeyModel, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for child in model.children:
        yield child.name, path
        yield from _homes(child, (*path, child.name))


_HOMES = dict(reversed(list(_homes(PROVIDER, ()))))


def home_of(name: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The table under a provider where `name` belongs, if that is not the one at `path`."""
    home = _HOMES.get(name)
    return home if home != path else None


def check(provider: ProviderTable) -> Iterator[Problem]:
    for key in provider.modelled_keys:
        if key.model is None and (home := home_of(key.entry.key.name, key.path)) is not None:
            yield _misplaced(provider, key.entry, home)


def _misplaced(provider: ProviderTable, entry: Entry, home: tuple[str, ...]) -> Problem:
    name = entry.key.name
    where = f"`{'.'.join(home)}`" if home else "the provider's own table"
    message = f"`{name}` belongs into {where}; here Codex ignores it"
    return RULE.problem(
        entry.key.span, message, *_move(provider, entry, home), provider=provider.id
    )


def _move(provider: ProviderTable, entry: Entry, home: tuple[str, ...]) -> tuple[Fix, ...]:
    value = provider.source(Span(entry.value.span.start, entry.value.span.end))
    removal = remove_key(provider, entry)
    table = provider.table.get(*home)
    if value is None or removal is None or not isinstance(table, Table):
        return ()
    addition = add_key(provider, home, entry.key.name, value)
    if addition is None or entry.key.name in table.entries:
        return ()
    where = f"`{'.'.join(home)}`" if home else "the provider's table"
    title = f"Move into {where}"
    weakens = entry.key.name == "allowed_tdx_status" and accepts_more_than_default(entry.value)
    return (Fix(weakening(title) if weakens else title, (removal, addition)),)
