"""Provider ids that a dot without quotes cut in two: `gpt-4.1` in a header is `1` within `gpt-4`.

Invariant: only what can be no table of a provider's own is put together again, and what is so is
told by its key: no key without quotes has a dot in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from .keys import PROVIDER, PROVIDERS
from .span import Span
from .toml.values import Entry, Key, Table, TableKind, Value

_OF_A_PROVIDER = frozenset(("name", "base_url", "use_ratls", "ratls_policy"))


def is_cut(key: Key) -> bool:
    """Whether `key` is an id put together of several parts."""
    return "." in key.name and len(key.name) == key.span.end - key.span.start


def joined(root: Table) -> Table:
    """`root`, where a provider whose id was cut stands under its whole id."""
    providers = root.entries.get(PROVIDERS)
    if providers is None or not isinstance(providers.value, Table):
        return root
    if not any(_has_foreign_table(entry.value) for entry in providers.value):
        return root
    ids = providers.value.entries.keys()
    entries: dict[str, Entry] = {}
    for name, entry in providers.value.entries.items():
        # What stands under `model_providers` twice is no id, but may be any provider's.
        found = _cut(entry) if name != PROVIDERS else ()
        cut = {inner: whole for inner, whole in found if whole.key.name not in ids}
        entries.update((whole.key.name, whole) for whole in cut.values())
        if not cut:
            entries[name] = entry
        elif isinstance(entry.value, Table) and (left := entry.value.entries.keys() - cut.keys()):
            own = {key: inner for key, inner in entry.value.entries.items() if key in left}
            entries[name] = entry._replace(value=entry.value.having(own))
    if entries.keys() == ids:
        return root
    merged = providers._replace(value=providers.value.having(entries))
    return root.having({**root.entries, PROVIDERS: merged})


def _has_foreign_table(provider: Value) -> bool:
    """Whether there is a table in it that providers do not have."""
    return isinstance(provider, Table) and any(
        isinstance(inner.value, Table) and PROVIDER.child(inner.key.name) is None
        for inner in provider
    )


def _cut(entry: Entry) -> Iterator[tuple[str, Entry]]:
    """The tables in `entry` that are providers themselves: the first name on the way to each, and
    the provider under its whole id."""
    value = entry.value
    if not isinstance(value, Table) or value.kind is TableKind.INLINE:
        return
    is_provider = bool(value.entries.keys() & _OF_A_PROVIDER)
    for name, inner in value.entries.items():
        if not isinstance(inner.value, Table) or PROVIDER.child(name) is not None:
            continue
        marks = inner.value.entries.keys() & _OF_A_PROVIDER
        found = [inner] if "base_url" in marks or (marks and not is_provider) else []
        for each in found or [deeper for _, deeper in _cut(inner)]:
            whole = _whole(entry, each)
            if whole is not None:
                yield name, whole


def _whole(outer: Entry, inner: Entry) -> Entry | None:
    """`inner` under the names of both; None if they do not stand one after the other everywhere."""
    before = {key.span.end: key for key in outer.keys}
    keys = []
    for key in inner.keys:
        first = before.get(key.span.start - len("."))
        whole = first and Key(f"{first.name}.{key.name}", Span(first.span.start, key.span.end))
        if not whole or not is_cut(whole):
            return None
        keys.append(whole)
    return inner._replace(key=keys[0], keys=tuple(keys))
