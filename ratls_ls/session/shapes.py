"""What is found, as the JSON shapes of the custom methods."""

from __future__ import annotations

from typing import Any

from ratls_ls.config.keys import DEFAULT_ID
from ratls_ls.config.problem import Severity
from ratls_ls.config.span import LineIndex, PositionEncoding, Span
from ratls_ls.language.diagnose import Diagnostic, as_diagnostic
from ratls_ls.status import ProviderStatus, State

from .files import OpenFile


def status_json(
    entry: OpenFile, provider: str, status: ProviderStatus, encoding: PositionEncoding
) -> dict[str, Any]:
    """The wire shape `ProviderStatus`. The range of a provider that is gone is the file's start.
    The one that Codex uses unless told otherwise has `default`."""
    table = entry.file.providers.get(provider)
    shape = {
        **status.to_json(provider),
        "uri": entry.uri,
        "range": entry.index.range(table.span if table else Span(0, 0), encoding),
    }
    if provider == entry.default_id:
        shape["default"] = True
    return shape


def built_in_default(uri: str) -> dict[str, Any]:
    """The wire shape `ProviderStatus` of what Codex uses where there is no config `uri`."""
    status = ProviderStatus(State.DISABLED).to_json(DEFAULT_ID)
    start = {"line": 0, "character": 0}
    return {**status, "uri": uri, "range": {"start": start, "end": start}, "default": True}


def problem_list(
    entry: OpenFile, provider: str, encoding: PositionEncoding
) -> list[dict[str, Any]]:
    """The problems of one provider, and all errors of its file."""
    return [
        diagnostic_json(as_diagnostic(problem), entry.uri, entry.index, encoding)
        for problem in entry.problems
        if problem.provider == provider or problem.severity is Severity.ERROR
    ]


def diagnostic_json(
    item: Diagnostic, file: str, index: LineIndex, encoding: PositionEncoding
) -> dict[str, Any]:
    """The wire shape `ConfigProblem`, as `ratls-ls check --format json` gives it too."""
    shape: dict[str, Any] = {
        "file": file,
        "code": item.code,
        "severity": item.severity.value,
        "range": index.range(item.span, encoding),
        "message": item.message,
    }
    if item.problem is not None and item.problem.fixes:
        shape["fix"] = item.problem.fixes[0].title
    return shape
