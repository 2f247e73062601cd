"""Policies and providers at places where nobody reads them, and whom that leaves unprotected.

Invariant: a policy that may have been meant for a provider is not lost silently: no provider that
may be its owner is attested under a weaker one.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import lru_cache

from .meant import POLICY_NAMES, resembles_policy
from .values import Entry, Table
from .words import nearest

_PROVIDERS = "model_providers"
# A string of this name says which provider to use; a table can only be misspelt.
_MISSPELT = ("model_provider", "model_provider_info")
# Tables of Codex in which words are other people's.
_OTHERS_OF_CODEX = frozenset(
    (
        *("agents", "apps", "features", "history", "hooks", "marketplaces", "mcp_servers"),
        *("memories", "notice", "otel", "permissions", "plugins", "projects"),
        *("shell_environment_policy", "skills", "tools", "tui"),
    )
)


class Owner(Enum):
    """Whose a policy may be that stands where nobody reads it."""

    ANY = "any provider"
    WITHOUT_POLICY = "any provider that has no policy"


def stray_policies(root: Table) -> Iterator[Entry]:
    """Policies at the top, in a profile, or where a provider's id must be."""
    for table in (root, *_profiles(root)):
        yield from (entry for entry in table if resembles_policy(entry.key.name))
    for entry in _providers(root):
        value = entry.value
        if resembles_policy(entry.key.name) and not (
            isinstance(value, Table) and "base_url" in value.entries
        ):
            yield entry


def stray_providers(root: Table) -> Iterator[Entry]:
    """Tables with providers under a name that is almost `model_providers`."""
    for entry in root:
        name = entry.key.name
        if name == _PROVIDERS or not isinstance(entry.value, Table) or not entry.value.entries:
            continue
        if _resembles_providers(name):
            yield entry


@lru_cache(maxsize=512)  # asked of the name of every table
def _resembles_providers(name: str) -> bool:
    return name in _MISSPELT or nearest(name, (_PROVIDERS,)) is not None


def stray_parts(root: Table) -> Iterator[Entry]:
    """Policies, or keys that only a policy has, in any other table that is no provider's: what a
    slip in a header leaves."""
    whole = {entry.key.span for entry in stray_policies(root)}
    for entry in root:
        if entry.key.name != _PROVIDERS and entry.key.name not in _OTHERS_OF_CODEX:
            yield from (part for part in _parts(entry) if part.key.span not in whole)
    for provider in _providers(root):
        for entry in provider.value if isinstance(provider.value, Table) else ():
            # What stands in a provider's own table, and in its policy, is seen there.
            if isinstance(entry.value, Table) and not resembles_policy(entry.key.name):
                for inner in entry.value:
                    yield from _parts(inner)


def _parts(entry: Entry) -> Iterator[Entry]:
    if entry.key.name in POLICY_NAMES or resembles_policy(entry.key.name):
        yield entry
    elif isinstance(entry.value, Table):
        for inner in entry.value:
            yield from _parts(inner)


def strays(root: Table) -> Iterator[Owner]:
    """Whose policy may have gone astray here."""
    if any(True for _ in stray_policies(root)):
        yield Owner.ANY
    lost = any(True for _ in stray_parts(root))
    if lost or any(is_policy_alone(entry.value) for entry in _providers(root)):
        yield Owner.WITHOUT_POLICY


def is_policy_alone(provider: object) -> bool:
    """Whether a provider's table has a policy, or a part of one, and nothing that makes it a
    provider to use."""
    return (
        isinstance(provider, Table)
        and not provider.entries.keys() & {"base_url", "use_ratls"}
        and any(name in POLICY_NAMES or resembles_policy(name) for name in provider.entries)
    )


def _providers(root: Table) -> Iterator[Entry]:
    providers = root.get(_PROVIDERS)
    return iter(providers if isinstance(providers, Table) else ())


def _profiles(root: Table) -> Iterator[Table]:
    profiles = root.get("profiles")
    for entry in profiles if isinstance(profiles, Table) else ():
        if isinstance(entry.value, Table):
            yield entry.value
