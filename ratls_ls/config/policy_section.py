"""A policy in a section of its own, judged by itself.

Invariant: a verdict is a function of that section's text, the provider's id, whether that is
attested, and the line break. So it is good for as long as the section stands anywhere in the file.
"""

from __future__ import annotations

from typing import NamedTuple

from .build import Terms, terms_of
from .keys import PROVIDERS
from .problem import Problem
from .rules import attested_problems, policy_problems
from .tables import ProviderTable
from .toml.document import Group, section_at
from .toml.merge import Merger
from .toml.section import Section
from .toml.values import Header, Table


class PolicyVerdict(NamedTuple):
    """`terms`: None if it is not exactly understood. `of_attested`: the further problems of a
    provider that can be attested."""

    problems: list[Problem]
    terms: Terms | None
    of_attested: list[Problem]


def policy_verdict(table: ProviderTable, group: Group) -> PolicyVerdict | None:
    """The verdict on the policy of `table`, which stands in `group`; None if anything else there
    says what it is, or was meant to, or if nobody knows some key of either."""
    entry = table.policy_entry
    if entry is None or len(entry.keys) != 1 or group.issues:
        return None
    for key in table.own_keys:
        if key.model is None:
            return None
    start, section = section_at(group.sections, entry.key.span.start)
    if section.header is None or _names(section.header) != (PROVIDERS, table.id, entry.key.name):
        return None
    known = (table.id, table.attested, table.newline)
    if known not in section.kept:
        section.kept[known] = _judged(section, table)
    verdict: PolicyVerdict | None = section.kept[known]
    if verdict is None or not start:
        return verdict
    problems = [problem.shifted(start) for problem in verdict.problems]
    of_attested = [problem.shifted(start) for problem in verdict.of_attested]
    return PolicyVerdict(problems, verdict.terms, of_attested)


def _names(header: Header) -> tuple[str, ...]:
    return tuple([key.name for key in header.keys]) if not header.of_tables else ()


def _judged(section: Section, provider: ProviderTable) -> PolicyVerdict | None:
    merger = Merger()
    merger.add(section.header, section.statements, 0)
    (providers,) = merger.table()
    assert isinstance(providers.value, Table)
    (entry,) = providers.value
    pieces = ((0, section.text),)
    alone = ProviderTable(provider.id, entry, provider.attested, provider.newline, pieces)
    if alone.unknown_keys:
        return None
    terms = terms_of(alone)
    of_attested = attested_problems(alone, terms.policy) if terms is not None else []
    return PolicyVerdict(policy_problems(alone), terms, of_attested)
