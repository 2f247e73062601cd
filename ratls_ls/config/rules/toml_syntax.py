"""`toml-syntax`: text that is not TOML 1.0."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.span import LineIndex
from ratls_ls.config.tables import ConfigFile
from ratls_ls.config.values import Issue

from .rule import Rule

RULE = Rule(
    code="toml-syntax",
    severity=Severity.ERROR,
    words="""
    The text is not TOML 1.0: a string or array is not closed, a value is missing, a key or table
    stands twice. Codex refuses the whole file. Everything else in it is still checked; a provider
    of which something cannot be read is not attested.
    """,
    example="""
    [model_providers.tee]
    name = "TEE
    """,
)


def check(file: ConfigFile, _: Context) -> Iterator[Problem]:
    headers = misspelt_headers(file)
    for issue in file.document.issues:
        if issue not in headers:
            yield RULE.problem(issue.span, issue.message + _other_place(issue, file.text))
    if headers:
        edits = tuple(Edit(issue.span, "model_providers") for issue in headers)
        ids = [issue.path[1] for issue in headers if issue.path is not None]
        fix = Fix("Rename to `model_providers`", edits, preferred=True)
        fixes = (fix,) if file.has_room_for(ids) else ()
        message = "Providers stand under `model_providers`; `model_provider` is the id of one"
        yield RULE.problem(headers[0].span, message, *fixes)


def _other_place(issue: Issue, text: str) -> str:
    if issue.first is None:
        return ""
    return f" (line {LineIndex(text).position(issue.first.start).line + 1})"


def misspelt_headers(file: ConfigFile) -> list[Issue]:
    """Providers under the name that another line gives an id to."""
    return [
        issue
        for issue in file.document.issues
        if issue.path is not None
        and issue.path[0:1] == ("model_provider",)
        and len(issue.path) > 1
        and issue.span.of(file.text) == "model_provider"
    ]
