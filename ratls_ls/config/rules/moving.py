"""What the rules about keys in the wrong place or spelling share. Not a rule."""

from __future__ import annotations

from ratls_ls.config.edits import add_keys, innermost, remove_key, spelled, weakening
from ratls_ls.config.keys import RATLS_POLICY, Kind
from ratls_ls.config.kinds import fits, truth_of
from ratls_ls.config.meant import plain
from ratls_ls.config.problem import Edit, Fix
from ratls_ls.config.span import Span
from ratls_ls.config.statuses import accepts_more_than_default
from ratls_ls.config.tables import ProviderTable, UnknownKey
from ratls_ls.config.toml.values import Table, TableKind, Value, integer_of, to_python
from ratls_ls.config.words import shown

_SWITCH = ("use_ratls",)
_GRACE_PERIOD = (RATLS_POLICY.name, "grace_period")
_ALLOWED = "allowed_tdx_status"
# Of the units that a name may end in.
_MILLISECONDS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "milliseconds"), 1),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hour", "hours"), 3_600_000),
    **dict.fromkeys(("d", "day", "days"), 86_400_000),
}


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
    unit, right_unit = _unit_of(key.entry.key.name), _unit_of(meant[-1])
    if unit is not None and right_unit is not None and unit != right_unit:
        number, rest = divmod((integer_of(value) or 0) * unit, right_unit)
        if rest or not number:
            return ()
        right = str(number)
    # A name without its unit may be of a number in another.
    is_certain = unit is not None or right_unit is None or meant == _GRACE_PERIOD
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
    preferred = same and is_certain and not weakens
    return (Fix(weakening(title) if weakens else title, edits, preferred=preferred),)


def _unit_of(name: str) -> int | None:
    """How many milliseconds a number under this name counts; None where that is not known."""
    if name == _GRACE_PERIOD[-1]:
        return _MILLISECONDS["s"]
    return _MILLISECONDS.get(plain(name).rpartition("_")[2])


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
        edits = (Edit(entry.key.span, dotted),) if len(entry.keys) == 1 else ()
        return (*edits, Edit(entry.value.span, right)) if edits and right is not None else edits
    value, table = right or provider.source(entry.value.span), provider.table.get(*inside)
    # In braces there are no comments.
    goes_along = isinstance(table, Table) and table.kind is not TableKind.INLINE
    behind = provider.source(Span(entry.span.end, entry.line_end)) if goes_along else ""
    removal = remove_key(provider, entry, with_comment=goes_along)
    if value is None or behind is None or removal is None:
        return ()
    addition = add_keys(provider, inside, [(meant[len(inside) :], value + behind.rstrip())])
    return (removal, addition) if addition is not None else ()
