"""From text to what a Codex config says: its providers, who refers to them, and the rest.

Invariant: `read` is a function of the text alone; what a previous reading gives is speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from .build import provider_of
from .keys import REFERENCE_KEYS
from .problem import Problem, Severity
from .rules import provider_problems, root_problems
from .strays import Owner, strays
from .tables import ConfigFile, Part, ProviderTable, Reference
from .toml import Document, Group, parse
from .values import Issue, Table, string_of

__all__ = ["ConfigFile", "ProviderTable", "Reference", "read"]


def read(text: str, previous: ConfigFile | None = None) -> ConfigFile:
    """The meaning of `text`. Never raises.

    `previous`: an earlier reading of (mostly) the same text; makes this one fast, changes nothing.
    """
    document = parse(text, previous.document if previous else None)
    known = {part.group: part for _, part in previous.parts} if previous else {}
    parts = tuple((base, known.get(group) or _part(group)) for base, group in document.groups)
    spoilt = _spoilt(document)
    astray = {found for _, part in parts for found in part.strays}
    providers: dict[str, ProviderTable] = {}
    references: list[Reference] = []
    for base, part in parts:
        for table in part.providers:
            placed = table.at(base)
            if table.id in spoilt or None in spoilt:
                placed = replace(placed, provider=None, broken=table.id in spoilt)
            elif astray and (Owner.ANY in astray or placed.policy_entry is None):
                placed = replace(placed, provider=None)
            providers.setdefault(table.id, placed)
        references += (
            Reference(reference.id, reference.span.shifted(base), reference.path)
            for reference in part.references
        )
    return ConfigFile(text, document, providers, tuple(references), parts)


def _spoilt(document: Document) -> set[str | None]:
    """Ids of providers of which something cannot be read; None stands for any of them."""
    return {found for issue in document.issues for found in _spoilt_by(issue)}


def _spoilt_by(issue: Issue) -> Iterator[str | None]:
    """A header that cannot be read may have been any provider's, with any pin under it."""
    if issue.path is None or issue.path in ((), ("model_providers",)):
        yield None
    elif issue.path[0] == "model_providers":
        yield issue.path[1]


def _part(group: Group) -> Part:
    pieces = tuple((start, section.text) for start, section in group.sections)
    newline = "\r\n" if any("\r\n" in text for _, text in pieces) else "\n"
    all_providers = group.root.get("model_providers")
    entries = tuple(all_providers) if isinstance(all_providers, Table) else ()
    problems = root_problems(group.root)
    tables = []
    for entry in entries:
        table = ProviderTable(entry.key.name, entry, newline=newline, pieces=pieces)
        own = provider_problems(table)
        tables.append(_judged(table, own))
        problems += own
    references = tuple(_references(group.root))
    astray = frozenset(strays(group.root))
    return Part(group, tuple(tables), references, tuple(problems), astray)


def _judged(table: ProviderTable, problems: Iterable[Problem]) -> ProviderTable:
    """With its Provider, if nothing about it is wrong."""
    if not table.attested or any(problem.severity is Severity.ERROR for problem in problems):
        return table
    return replace(table, provider=provider_of(table))


def _references(root: Table) -> Iterator[Reference]:
    yield from _references_in(root, ())
    profiles = root.get("profiles")
    for profile in profiles if isinstance(profiles, Table) else ():
        if isinstance(profile.value, Table):
            yield from _references_in(profile.value, ("profiles", profile.key.name))


def _references_in(table: Table, path: tuple[str, ...]) -> Iterator[Reference]:
    for key in REFERENCE_KEYS:
        value = table.get(key)
        name = string_of(value)
        if value is not None and name is not None:
            yield Reference(name, value.span, (*path, key))
