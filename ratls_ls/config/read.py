"""From text to what a Codex config says: its providers, who refers to them, and the rest.

Invariant: `read` is a function of the text and of its base alone; what a previous reading gives is
speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .build import policy_of, provider_of
from .cut_ids import joined
from .keys import REFERENCE_KEYS
from .lost import losing, speaks_of_policy
from .overlay import laid_over, stands_behind
from .policy_section import PolicyVerdict, policy_verdict
from .problem import Problem, Severity
from .rules import attested_problems, overlay_problems, provider_problems, root_problems
from .strays import loses_policy, stray_providers, strays
from .tables import Base, ConfigFile, Part, ProviderTable, Reference
from .toml import Document, Group, parse
from .values import Entry, Issue, Table, string_of

__all__ = ["ConfigFile", "ProviderTable", "Reference", "read"]


def read(text: str, previous: ConfigFile | None = None, base: Base | None = None) -> ConfigFile:
    """The meaning of `text`. Never raises.

    `previous`: an earlier reading of (mostly) the same text; makes this one fast, changes nothing.
    `base`: the user's own config, if this is the file of a profile; None where there is none.
    """
    document = parse(text, previous.document if previous else None)
    known = {part.group: part for _, part in previous.parts} if previous else {}
    below = base.by_id if base is not None else {}
    parts = [
        (start, _kept(known.get(group), below) or _part(group, below))
        for start, group in document.groups
    ]
    spoilt = _spoilt(document) if document.issues else set()
    # What a base in doubt requires may be of any provider.
    in_doubt = base is not None and not base.sound
    in_doubt = in_doubt or any(part.loses_policy for _, part in parts)
    providers: dict[str, ProviderTable] = {}
    references: list[Reference] = []
    for start, part in parts:
        for table in part.providers:
            placed = table.at(start)
            if spoilt and (table.id in spoilt or None in spoilt):
                placed = placed.judged(None, broken=table.id in spoilt)
            elif in_doubt:
                placed = placed.judged(None)
            providers.setdefault(table.id, placed)
        for id_, span, path in part.references:
            references.append(Reference(id_, span.shifted(start), path))
    return ConfigFile(text, document, providers, tuple(references), tuple(parts), base)


def _kept(part: Part | None, below: Mapping[str, ProviderTable]) -> Part | None:
    """`part`, if its providers are laid over the same as before."""
    if part is None or (not below and not part.under):
        return part
    under = {below[table.id] for table in part.providers if table.id in below}
    return part if part.under == under else None


def _spoilt(document: Document) -> set[str | None]:
    """Ids of providers of which something cannot be read; None stands for any of them."""
    spoilt: set[str | None] = set()
    elsewhere = set()
    for issue, section in losing(document.issues, document.sections):
        by_it = set(_spoilt_by(issue))
        spoilt |= by_it
        if not by_it:
            elsewhere.add(section)
    # A policy may be among what cannot be read there.
    return spoilt | {None} if any(speaks_of_policy(each.text) for each in elsewhere) else spoilt


def _spoilt_by(issue: Issue) -> Iterator[str | None]:
    """A header that cannot be read may have been any provider's, with any pin under it."""
    if issue.path is None or issue.path in ((), ("model_providers",)):
        yield None
    elif issue.path[0] == "model_providers":
        yield issue.path[1]


def _part(group: Group, below: Mapping[str, ProviderTable]) -> Part:
    pieces = tuple([(start, section.text) for start, section in group.sections])
    newline = "\r\n" if any("\r\n" in text for _, text in pieces) else "\n"
    end = max([start + len(text) for start, text in pieces])
    own_root = joined(group.root)
    root = laid_over(own_root, below, end) if below else own_root
    providers = _providers(root)
    # Where there is nothing but providers, nothing can stand beside them.
    alone = bool(providers) and len(root.entries) == 1
    problems = [] if alone else root_problems(root)
    references = () if alone else tuple(_references(root))
    astray = tuple(strays(root))
    no_ids = {stray.key for stray in astray}
    torn = {id_ for each, _ in losing(group.issues, group.sections) for id_ in _spoilt_by(each)}
    tables, hidden = [], list[tuple[ProviderTable, Problem]]()
    for whole, entry in zip(providers, _providers(own_root), strict=True):
        if entry.key in no_ids:
            continue
        table = ProviderTable.of(whole, newline, pieces)
        is_torn = table.id in torn or None in torn
        under = below.get(table.id)
        verdict = policy_verdict(table, group) if under is None else None
        found = provider_problems(table, verdict and verdict.problems, torn=is_torn)
        if under is None:
            judged = _judged(table, found, verdict)
            tables.append(judged)
        else:
            own = ProviderTable.of(entry, newline, pieces, under)
            weakened = overlay_problems(own, under)
            every = [*found, *weakened]
            judged = _judged(table, every)
            tables.append(own.judged(judged.provider))
            found = [*_not_of(under, table, found), *weakened]
            told = (each for each in found if not stands_behind(each.span, end))
            if own.attested and not any(_errors(told)):
                first = min(_errors(every), key=lambda each: each.span, default=None)
                hidden += [(own, first)] if first is not None else []
        problems += found
        if not is_torn and judged.provider is not None:
            problems += attested_problems(judged, judged.provider)
    under_them = frozenset([table.under for table in tables if table.under is not None])
    lost = loses_policy(root, astray)
    if below:
        problems = [each for problem in problems if (each := _within(problem, end)) is not None]
        astray = tuple([stray for stray in astray if not stands_behind(stray.key.span, end)])
    return Part(
        *(group, tuple(tables), references, tuple(problems), astray, lost, under_them),
        hidden=tuple(hidden),
        misspelt=() if alone else tuple(stray_providers(root)),
    )


def _providers(root: Table) -> tuple[Entry, ...]:
    providers = root.get("model_providers")
    return tuple(providers) if isinstance(providers, Table) else ()


def _not_of(
    base: ProviderTable, merged: ProviderTable, problems: Iterable[Problem]
) -> Iterator[Problem]:
    """Those of `problems` that are not about what is missing in the base already."""
    known = {(problem.code, problem.message) for problem in provider_problems(base)}
    for problem in problems:
        if problem.span != merged.span or (problem.code, problem.message) not in known:
            yield problem


def _within(problem: Problem, end: int) -> Problem | None:
    """`problem` with the fixes that change this text; None if it is about the base's."""
    if stands_behind(problem.span, end):
        return None
    fixes = tuple(
        fix for fix in problem.fixes if not any(stands_behind(e.span, end) for e in fix.edits)
    )
    return problem if fixes == problem.fixes else problem._replace(fixes=fixes)


def _judged(
    table: ProviderTable, problems: Iterable[Problem], verdict: PolicyVerdict | None = None
) -> ProviderTable:
    """With its Provider, if nothing about it is wrong. `verdict`: on its policy, if that is known
    already."""
    if not table.attested or any(_errors(problems)):
        return table
    policy = policy_of(table) if verdict is None else verdict.policy
    return table.judged(provider_of(table, policy))


def _errors(problems: Iterable[Problem]) -> Iterator[Problem]:
    return (problem for problem in problems if problem.severity is Severity.ERROR)


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
