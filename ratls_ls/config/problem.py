"""A problem found in a config: its code, where, what to say, and how to mend it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .span import Span


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"
    HINT = "hint"


class Edit(NamedTuple):
    """Replace `span` of the text by `new_text`, which shows in no repr: it may hold a secret."""

    span: Span
    new_text: str

    def __repr__(self) -> str:
        return f"Edit(span={self.span})"


class Fix(NamedTuple):
    """A mend of one problem. `safe`: may run unasked in "fix all". A fix that weakens a policy
    is neither safe nor preferred, and its title says so."""

    title: str
    edits: tuple[Edit, ...]
    safe: bool = False
    preferred: bool = False


class Problem(NamedTuple):
    code: str
    severity: Severity
    span: Span
    message: str
    fixes: tuple[Fix, ...] = ()
    provider: str | None = None

    def shifted(self, by: int) -> Problem:
        """This problem, `by` code points further on."""
        fixes = tuple(
            Fix(
                fix.title,
                tuple(Edit(edit.span.shifted(by), edit.new_text) for edit in fix.edits),
                fix.safe,
                fix.preferred,
            )
            for fix in self.fixes
        )
        span = self.span.shifted(by)
        return Problem(self.code, self.severity, span, self.message, fixes, self.provider)
