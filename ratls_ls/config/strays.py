"""What belongs to a provider and stands where nobody reads it.

Invariant: what can only have been meant as a policy, as a part of one or as the switch, with a slip
in its spelling or without, and reaches no provider is found in every table and array of the file.
A lost policy may have been meant for any provider, so none is attested while there is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from .keys import PROVIDER, PROVIDERS, RATLS_POLICY, REFERENCE_KEYS
from .lost import Lost, lost_in, spelling_of
from .meant import POLICY_PATHS, meant_by
from .toml.values import Array, Entry, Key, Table, Value, string_of
from .words import nearest

PROFILES = "profiles"
PROFILE = "profile"
_WHOLE = {"base_url", "use_ratls"}
# A string of this name says which provider to use; a table can only be misspelt.
_MISSPELT = ("model_provider", "model_provider_info")
# Whoever selects a provider where that can be done may call it so.
_SELECTIONS = ("provider", "default_provider", "default_model_provider", "model_provider_id")
# Tables of Codex in which other programs choose the names: of variables, headers and parameters,
_NAMED_BY_OTHERS = frozenset(
    ("env", "set", "headers", "http_headers", "env_http_headers", "query_params")
)
# and of their own tables.
_OF_IDS = frozenset(
    (
        *("agents", "apps", "marketplaces", "mcp_servers", "permissions", "plugins"),
        *("profiles", "projects", "tools"),
    )
)


class Stray(NamedTuple):
    """`selectable`: it stands where `model_provider` could, but does not."""

    key: Key
    value: Value
    lost: Lost
    selectable: bool = False


def strays(root: Table) -> Iterator[Stray]:
    """All of them, but for policies in tables that providers have by their ids."""
    for entry in root:
        name, value = entry.key.name, entry.value
        if name == PROVIDERS:
            yield from _in_providers(value) if isinstance(value, Table) else _under(value, name)
        elif name in (PROFILES, PROFILE) and isinstance(value, Table):
            for profile in value:
                yield from _in_profile(profile)
        else:
            misspelt = isinstance(value, Table) and _resembles_providers(name)
            for stray in _where_selected(entry, root):
                # Under the right name it would be where it belongs.
                if stray.lost is not Lost.SWITCH or not misspelt:
                    yield stray


def _in_profile(profile: Entry) -> Iterator[Stray]:
    if isinstance(profile.value, Table):
        for entry in profile.value:
            yield from _where_selected(entry, profile.value)
    else:
        yield from _at(profile, "")


def _where_selected(entry: Entry, table: Table) -> Iterator[Stray]:
    """In a table where a provider can be selected."""
    name, value = entry.key.name, entry.value
    if string_of(value) is None:
        yield from _at(entry, "")
    elif name not in REFERENCE_KEYS:
        lost = Lost.SELECTION if name in _SELECTIONS else lost_in(name, value)
        if lost is not None:
            yield Stray(entry.key, value, lost, Lost.SELECTION.value not in table.entries)


def _in_providers(providers: Table) -> Iterator[Stray]:
    for entry in providers:
        value = entry.value
        if not isinstance(value, Table):
            of_tables = isinstance(value, Array) and value.of_tables
            # As a table it would have the switch, and that it must be one is told.
            yield from (s for s in _at(entry, "") if not of_tables or s.lost is not Lost.SWITCH)
        elif _is_no_id(entry.key.name) and "base_url" not in value.entries:
            yield Stray(entry.key, value, Lost.POLICY)
        else:
            for own in value:
                if (table := _not_judged_as(own)) is not None:
                    yield from _under(own.value, table)


def _is_no_id(name: str) -> bool:
    spelling = spelling_of(name)
    return spelling is not None and spelling.word in POLICY_PATHS and not spelling.slip


def _not_judged_as(own: Entry) -> str | None:
    """The table or array that `own` is or was meant to be, by name; None if the rules about a
    provider's keys say all of it, and of what is under it."""
    name, value = own.key.name, own.value
    if not isinstance(value, Table | Array) or name == RATLS_POLICY.name:
        return None
    meant = meant_by(name, value, ()) if PROVIDER.child(name) is None else None
    if meant is None:
        return name
    return meant[-1] if meant[0] != RATLS_POLICY.name else None


def _at(entry: Entry, table: str) -> Iterator[Stray]:
    """`table`: the name of the table that the entry is in."""
    name, value = entry.key.name, entry.value
    lost = None
    if table not in _OF_IDS or not isinstance(value, Table):
        lost = lost_in(name, value, among_others=table in _NAMED_BY_OTHERS)
    if lost is not None:
        yield Stray(entry.key, value, lost)
    else:
        yield from _under(value, name)


def _under(value: Value, name: str) -> Iterator[Stray]:
    match value:
        case Table():
            for entry in value:
                yield from _at(entry, name)
        case Array():
            for item in value.items:
                yield from _under(item, name)
        case _:
            return


def misspelt_tables(root: Table) -> Iterator[Entry]:
    """Tables with providers under a name that is almost `model_providers`, and with profiles under
    that of what selects one."""
    for entry in root:
        name = entry.key.name
        if name == PROVIDERS or not isinstance(entry.value, Table) or not entry.value.entries:
            continue
        if name == PROFILE or _resembles_providers(name):
            yield entry


@lru_cache(maxsize=512)  # asked of the name of every table
def _resembles_providers(name: str) -> bool:
    return name in _MISSPELT or nearest(name, (PROVIDERS,)) is not None


def is_policy_alone(provider: Value) -> bool:
    """Whether a provider's table has a policy, or a part of one, without an address or the switch:
    what a wrong id leaves."""
    if not isinstance(provider, Table) or provider.entries.keys() >= _WHOLE:
        return False
    unknown = [entry for entry in provider if PROVIDER.child(entry.key.name) is None]
    meant = {meant_by(entry.key.name, entry.value, ()) for entry in unknown} - {None}
    there = provider.entries.keys() | {path[0] for path in meant if path is not None}
    if there >= _WHOLE:
        return False
    return (
        RATLS_POLICY.name in provider.entries
        or any(lost_in(entry.key.name, entry.value) is Lost.POLICY for entry in unknown)
        # What has an address may be another's that does not know attestation at all.
        or ("base_url" not in there and RATLS_POLICY.name in there)
    )


def loses_policy(root: Table, found: tuple[Stray, ...]) -> bool:
    """Whether a policy stands here that may be any provider's. `found`: the strays of `root`."""
    providers = root.get(PROVIDERS)
    return any(stray.lost is Lost.POLICY for stray in found) or any(
        is_policy_alone(entry.value)
        for entry in (providers if isinstance(providers, Table) else ())
    )
