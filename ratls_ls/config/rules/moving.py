"""What the rules about keys in the wrong place or spelling share. Not a rule."""

from __future__ import annotations

from ratls_ls.config.edits import add_keys, innermost, remove_key, spelled, weakening
from ratls_ls.config.keys import RATLS_POLICY, Kind
from ratls_ls.config.kinds import fits, truth_of
from ratls_ls.config.problem import Edit, Fix
from ratls_ls.config.statuses import accepts_more_than_default
from ratls_ls.config.tables import ProviderTable, UnknownKey
from ratls_ls.config.toml.values import Table, Value, to_python
from ratls_ls.config.words import shown

_SWITCH = ("use_ratls",)
_ALLOWED = "allowed_tdx_status"


def become(provider: ProviderTable, unknown: UnknownKey) -> tuple[Fix, ...]:
    """The fix that makes a key what it was meant to be, or removes it where that has the same value
    already; none where it has another, or where it cannot be done."""
    key, meant = unknown
    if meant is None:
        return ()
    value, right = key.entry.value, None
    if (there := provider.table.get(*meant)) is not None:
        says_it_again = (type(there), to_python(there)) == (type(value), to_python(value))
        # Comments in it would go with it.
        is_plain = "#" not in (provider.source(value.span) or "#")
        removal = remove_key(provider, key.entry) if says_it_again and is_plain else None
        title = f"Remove `{shown(key.entry.key.name)}`, which is set there already"
        return (Fix(title, (removal,), preferred=True),) if removal is not None else ()
    if meant == _SWITCH and not fits(Kind.BOOLEAN, value):
        if (truth := truth_of(value)) is None:
            return ()
        right = str(truth).lower()
    weakens = _accepts_more(value, meant)
    name = f"{meant[-1]} = {right}" if right is not None else meant[-1]
    if meant[:-1] == key.path:
        title = f"Change to `{name}`" if right is not None else f"Rename to `{name}`"
        edits = tuple(Edit(each.span, spelled(meant[-1])) for each in key.entry.keys)
        if right is not None:
            edits += (Edit(value.span, right),)
    else:
        title = f"Move into {_where(meant[:-1])}"
        title += f" as `{name}`" if key.entry.key.name != name else ""
        edits = _moved(provider, unknown, meant, right)
    if not edits:
        return ()
    same = meant[:-1] == key.path
    return (Fix(weakening(title) if weakens else title, edits, preferred=same and not weakens),)


def _accepts_more(value: Value, meant: tuple[str, ...]) -> bool:
    """Whether the policy accepts more than by default once `value` counts as what was meant."""
    if isinstance(value, Table) and meant == (RATLS_POLICY.name,):
        allowed = value.get(_ALLOWED)
        return allowed is not None and accepts_more_than_default(allowed)
    return meant[-1] == _ALLOWED and accepts_more_than_default(value)


def _where(home: tuple[str, ...]) -> str:
    return f"`{'.'.join(home)}`" if home else "the provider's table"


def _moved(
    provider: ProviderTable, unknown: UnknownKey, meant: tuple[str, ...], right: str | None
) -> tuple[Edit, ...]:
    entry, path = unknown.key.entry, unknown.key.path
    inside = innermost(provider, meant[:-1])
    if inside == path:
        # Dots make the tables that are missing, and the line stays where it is.
        dotted = ".".join(spelled(name) for name in meant[len(path) :])
        return (Edit(entry.key.span, dotted),) if len(entry.keys) == 1 else ()
    value = right or provider.source(entry.value.span)
    removal = remove_key(provider, entry)
    if value is None or removal is None:
        return ()
    addition = add_keys(provider, inside, [(meant[len(inside) :], value)])
    return (removal, addition) if addition is not None else ()
