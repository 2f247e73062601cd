"""Policies and providers at places where nobody reads them, and whom that leaves unprotected.

Invariant: a policy that may have been meant for a provider is not lost silently: that provider is
not attested under a weaker one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from .meant import resembles_policy
from .values import Entry, Table
from .words import nearest

_PROVIDERS = "model_providers"
# A string of this name says which provider to use; a table can only be misspelt.
_MISSPELT = ("model_provider", "model_provider_info")


def folded(provider_id: str) -> str:
    """The id as one reads it: without case and blanks around it."""
    return provider_id.strip().casefold()


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


def strays(root: Table) -> Iterator[str | None]:
    """Whose policy may have gone astray here: ids as `folded` has them, None for any provider's."""
    for _ in stray_policies(root):
        yield None
    for entry in stray_providers(root):
        yield from map(folded, entry.value.entries if isinstance(entry.value, Table) else ())
    for entry in _providers(root):
        if is_policy_alone(entry.value):
            yield folded(entry.key.name)


def is_policy_alone(provider: object) -> bool:
    """Whether a provider's table has a policy and nothing that makes it one to use."""
    return (
        isinstance(provider, Table)
        and not provider.entries.keys() & {"base_url", "use_ratls"}
        and any(resembles_policy(name) for name in provider.entries)
    )


def _providers(root: Table) -> Iterator[Entry]:
    providers = root.get(_PROVIDERS)
    return iter(providers if isinstance(providers, Table) else ())


def _profiles(root: Table) -> Iterator[Table]:
    profiles = root.get("profiles")
    for entry in profiles if isinstance(profiles, Table) else ():
        if isinstance(entry.value, Table):
            yield entry.value
