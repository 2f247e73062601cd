"""From a group of sections to the part of a config that it is: its providers, judged, and the rest.

Invariant: a part is a function of its group and of what its providers are laid over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from .build import provider_of, terms_of
from .dotted_ids import joined
from .keys import PROVIDERS, REFERENCE_KEYS
from .lost import losing
from .overlay import laid_over, stands_behind
from .policy_section import PolicyVerdict, policy_verdict
from .problem import Problem, Severity
from .rules import attested_problems, overlay_problems, provider_problems, root_problems
from .strays import loses_policy, misspelt_tables, strays
from .tables import Part, ProviderTable, Reference
from .toml.document import Group
from .toml.values import Entry, Issue, Table, shifted_issue, string_of


class _Verdict(NamedTuple):
    """`hidden`: what keeps it from being attested, if that is not among `problems`."""

    table: ProviderTable
    problems: list[Problem]
    hidden: Problem | None = None


def part_of(group: Group, below: Mapping[str, ProviderTable]) -> Part:
    """`group` as config. `below`: what its providers are laid over, by id."""
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
    torn = _spoilt(group.issues, group)
    lines = list(_broken_statements(group))
    broken = torn | _spoilt(lines, group)
    if lines:
        torn |= _spoilt(filter(_may_be_any_key, lines), group)
    tables, hidden = [], []
    for whole, entry in zip(providers, _providers(own_root), strict=True):
        if entry.key in no_ids:
            continue
        table = ProviderTable.of(whole, newline, pieces)
        is_torn = table.id in torn or None in torn
        is_broken = table.id in broken or None in broken
        if (under := below.get(table.id)) is None:
            verdict = _alone(table, group, torn=is_torn, broken=is_broken)
        else:
            own = ProviderTable.of(entry, newline, pieces, under)
            verdict = _over(under, own, table, end, torn=is_torn, broken=is_broken)
        tables.append(verdict.table)
        problems += verdict.problems
        if verdict.hidden is not None:
            hidden.append((verdict.table, verdict.hidden))
    under_them = frozenset([table.under for table in tables if table.under is not None])
    lost = loses_policy(root, astray)
    if below:
        problems = [each for problem in problems if (each := _within(problem, end)) is not None]
        astray = tuple([stray for stray in astray if not stands_behind(stray.key.span, end)])
    return Part(
        *(group, tuple(tables), references, tuple(problems), astray, lost, under_them),
        hidden=tuple(hidden),
        misspelt=() if alone else tuple(misspelt_tables(root)),
    )


def _alone(table: ProviderTable, group: Group, *, torn: bool, broken: bool) -> _Verdict:
    policy = policy_verdict(table, group)
    problems = provider_problems(table, policy and policy.problems, torn=torn)
    judged = table if broken else _judged(table, problems, policy)
    return _Verdict(judged, problems + _of_attested(judged, policy))


def _over(
    under: ProviderTable,
    own: ProviderTable,
    merged: ProviderTable,
    end: int,
    *,
    torn: bool,
    broken: bool,
) -> _Verdict:
    """`merged`: `own` with what `under` says, too, from `end` on."""
    problems = provider_problems(merged, torn=torn)
    weakened = overlay_problems(own, under)
    errors = _errors([*problems, *weakened])
    judged = merged if broken else _judged(merged, errors)
    told = [*_not_of(under, merged, problems), *weakened]
    hidden = None
    if own.attested and not _errors(each for each in told if not stands_behind(each.span, end)):
        hidden = min(errors, key=lambda each: each.span, default=None)
    told += _of_attested(judged)
    return _Verdict(own.judged(judged.provider), told, hidden)


def _of_attested(table: ProviderTable, verdict: PolicyVerdict | None = None) -> list[Problem]:
    if table.provider is None:
        return []
    if verdict is not None:
        return verdict.of_attested
    return attested_problems(table, table.provider.policy)


def _providers(root: Table) -> tuple[Entry, ...]:
    providers = root.get(PROVIDERS)
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
    if not table.attested or _errors(problems):
        return table
    terms = terms_of(table) if verdict is None else verdict.terms
    return table.judged(provider_of(table, terms))


def _errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity is Severity.ERROR]


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


def _spoilt(issues: Iterable[Issue], group: Group) -> set[str | None]:
    return {id_ for issue, _ in losing(issues, group.sections) for id_ in spoilt_by(issue)}


def _broken_statements(group: Group) -> Iterator[Issue]:
    for start, section in group.sections:
        for issue in section.issues:
            yield shifted_issue(issue, start)


def _may_be_any_key(issue: Issue) -> bool:
    """Whether a line in a provider's table cannot be read up to the `=`."""
    return issue.path is not None and len(issue.path) == 2 and issue.path[0] == PROVIDERS


def spoilt_by(issue: Issue) -> Iterator[str | None]:
    """Ids of providers of which `issue` may hide something; None stands for any of them: a header
    that cannot be read may have been any provider's, with any pin under it."""
    if issue.path is None or issue.path in ((), (PROVIDERS,)):
        yield None
    elif issue.path[0] == PROVIDERS:
        yield issue.path[1]
