"""Our types → lsprotocol's. The only place that knows both.

Invariant: every position passes through the file's own line index in the negotiated encoding.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from lsprotocol import types
from lsprotocol.converters import get_converter

from ratls_ls.config.check import Context, file_problems, problems_of
from ratls_ls.config.problem import Edit, Problem, Severity
from ratls_ls.config.span import LineIndex, Position, PositionEncoding, Span
from ratls_ls.config.tables import ConfigFile, Part
from ratls_ls.config.words import printable
from ratls_ls.language.diagnose import RULES_URL, Diagnostic, Related

from .writer import compact

if TYPE_CHECKING:
    import cattrs

SOURCE = "ratls"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFORMATION: types.DiagnosticSeverity.Information,
    Severity.HINT: types.DiagnosticSeverity.Hint,
}

_PLACE = '"range":{"start":{"line":%d,"character":%d},"end":{"line":%d,"character":%d}}'
# Editors fade the one and strike through the other.
_TAGS = {
    "duplicate-tcb-status": [types.DiagnosticTag.Unnecessary],
    "grace-period-without-out-of-date": [types.DiagnosticTag.Unnecessary],
    "wire-api-chat": [types.DiagnosticTag.Deprecated],
}


class Rendered(NamedTuple):
    """The problems of one Part as JSON, for as long as its sections start at these `places`: each
    at the start of a line, but for a byte order mark."""

    context: Context
    places: list[int]
    texts: list[str]


class Converter:
    """Conversions for one text of one file. `versioned`: the client takes edits that are for one
    version of a document."""

    def __init__(
        self, uri: str, index: LineIndex, encoding: PositionEncoding, *, versioned: bool = True
    ) -> None:
        self._uri = uri
        self._index = index
        self._encoding = encoding
        self._versioned = versioned

    def range(self, span: Span) -> types.Range:
        start = self._index.position(span.start, self._encoding)
        end = self._index.position(span.end, self._encoding)
        return types.Range(types.Position(*start), types.Position(*end))

    def offset(self, position: types.Position) -> int:
        return self._index.offset(position.line, position.character, self._encoding)

    def span(self, found: types.Range) -> Span:
        return Span(self.offset(found.start), self.offset(found.end))

    def edit(self, edit: Edit) -> types.TextEdit:
        return types.TextEdit(self.range(edit.span), edit.new_text)

    def workspace_edit(self, version: int | None, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        """`version`: of the document that the edits are for; None is that on disk."""
        made = [self.edit(edit) for edit in edits]
        if not self._versioned:
            return types.WorkspaceEdit(changes={self._uri: made})
        identifier = types.OptionalVersionedTextDocumentIdentifier(self._uri, version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identifier, made)])

    def problem(self, problem: Problem) -> types.Diagnostic:
        """As it was published."""
        published = json.loads(self._problem(problem, 0))
        return _from_json().structure(published, types.Diagnostic)

    def problems(
        self, file: ConfigFile, context: Context, rendered: dict[Part, Rendered]
    ) -> list[str]:
        """Those of `file` as JSON. `rendered`: what this gave before for (mostly) the same text,
        which is brought up to date: a keystroke changes one part and moves no line of others."""
        found = [self._problem(problem, 0) for problem in file_problems(file, context)]
        context, lines = context.of_part, self._index.starts
        known = rendered.copy()
        rendered.clear()
        for start, part in file.parts:
            sections = part.group.sections
            places = [min(start, 1), *[bisect_right(lines, start + at) for at, _ in sections]]
            shown = known.get(part)
            if shown is None or shown.context is not context or shown.places != places:
                problems = problems_of(part, context)
                texts = [self._problem(problem, start) for problem in problems]
                shown = Rendered(context, places, texts)
            rendered[part] = shown
            found += shown.texts
        return found

    def _problem(self, problem: Problem, base: int) -> str:
        """`base`: where the text starts that its span counts from."""
        titles = tuple([fix.title for fix in problem.fixes])
        what = _what(problem.severity, problem.code, problem.message, problem.provider, titles)
        return f"{{{self._place(problem.span, base)},{what}}}"

    def diagnostic(self, diagnostic: Diagnostic) -> str:
        """As JSON."""
        if diagnostic.problem is not None:
            return self._problem(diagnostic.problem, 0)
        what = _what(
            diagnostic.severity, diagnostic.code, diagnostic.message, diagnostic.provider, ()
        )
        related = f",{self._related(diagnostic.related)}" if diagnostic.related else ""
        return f"{{{self._place(diagnostic.span, 0)},{what}{related}}}"

    def _place(self, span: Span, base: int) -> str:
        return _PLACE % (*self._position(base + span.start), *self._position(base + span.end))

    def _position(self, offset: int) -> Position:
        return self._index.position(offset, self._encoding)

    def _related(self, related: Iterable[Related]) -> str:
        shapes = [
            {
                "location": {
                    "uri": self._uri,
                    "range": self._index.range(each.span, self._encoding),
                },
                "message": printable(each.message),
            }
            for each in related
        ]
        return _members({"relatedInformation": shapes})


@lru_cache(maxsize=4096)
def _what(
    severity: Severity, code: str, message: str, provider: str | None, titles: tuple[str, ...]
) -> str:
    """All members of a diagnostic but its place."""
    shape: dict[str, Any] = {
        "severity": _SEVERITIES[severity],
        "code": code,
        "codeDescription": {"href": f"{RULES_URL}#{code}"},
        "source": SOURCE,
        "message": printable(message),
        "data": {"provider": provider, "fixes": titles},
    }
    if code in _TAGS:
        shape["tags"] = _TAGS[code]
    return _members(shape)


def _members(shape: dict[str, Any]) -> str:
    return compact(shape)[1:-1]


def together(edits: Iterable[types.WorkspaceEdit]) -> types.WorkspaceEdit:
    """One edit of several documents, of those that are each of one."""
    made = types.WorkspaceEdit()
    for edit in edits:
        if edit.document_changes is not None:
            made.document_changes = [*(made.document_changes or ()), *edit.document_changes]
        if edit.changes is not None:
            made.changes = {**(made.changes or {}), **edit.changes}
    return made


@lru_cache(maxsize=1)
def _from_json() -> cattrs.Converter:
    return get_converter()
