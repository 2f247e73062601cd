"""What a rule is.

Invariant: a rule is its code, severity and words, and one pure check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.span import Span
from ratls_ls.config.tables import ConfigFile, ProviderTable
from ratls_ls.config.toml.values import Table
from ratls_ls.config.words import printable, without_keys
from ratls_ls.rats.policy import AppraisalPolicy

RootCheck = Callable[[Table], Iterable[Problem]]
ProviderCheck = Callable[[ProviderTable], Iterable[Problem]]
OverlayCheck = Callable[[ProviderTable, ProviderTable], Iterable[Problem]]
AttestedCheck = Callable[[ProviderTable, AppraisalPolicy], Iterable[Problem]]
ContextCheck = Callable[[ProviderTable, Context], Iterable[Problem]]
FileCheck = Callable[[ConfigFile, Context], Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class Rule:
    """`words`: a paragraph for the rule reference. `example`: TOML that has this problem.
    `of_absence`: it is about something that does not stand there."""

    code: str
    severity: Severity
    words: str
    example: str
    of_absence: bool = False

    def problem(
        self,
        span: Span,
        message: str,
        *fixes: Fix,
        provider: str | None = None,
    ) -> Problem:
        # A message may repeat keys of the file, and those may hold anything.
        told = tuple(fix._replace(title=_told(fix.title)) for fix in fixes)
        return Problem(self.code, self.severity, span, _told(message), told, provider)


def _told(text: str) -> str:
    return without_keys(printable(text))
