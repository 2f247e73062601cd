"""`toml-syntax`: text that is not TOML 1.0."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.keys import PROVIDERS
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.span import LineIndex
from ratls_ls.config.tables import ConfigFile
from ratls_ls.config.toml.values import Issue

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


# The tables that each of these names one of.
_TABLES = {"model_provider": PROVIDERS, "profile": "profiles"}


def check(file: ConfigFile, _: Context) -> Iterator[Problem]:
    if not file.document.issues:
        return
    misspelt = {name: misspelt_headers(file, tables) for name, tables in _TABLES.items()}
    index = LineIndex(file.text)
    for issue in file.document.issues:
        if not any(issue in headers for headers in misspelt.values()):
            yield RULE.problem(issue.span, issue.message + _other_place(issue, index))
    for name, headers in misspelt.items():
        if headers:
            yield _misspelt(file, name, headers)


def _misspelt(file: ConfigFile, name: str, headers: list[Issue]) -> Problem:
    tables = _TABLES[name]
    edits = tuple(Edit(issue.span, tables) for issue in headers)
    ids = [issue.path[1] for issue in headers if issue.path is not None]
    fix = Fix(f"Rename to `{tables}`", edits, preferred=True)
    what, named = ("Providers", "id") if tables == PROVIDERS else ("Profiles", "name")
    message = f"{what} stand under `{tables}`; `{name}` is the {named} of one"
    fixes = (fix,) if file.has_room_for(ids, tables) else ()
    return RULE.problem(headers[0].span, message, *fixes)


def _other_place(issue: Issue, index: LineIndex) -> str:
    if issue.first is None:
        return ""
    return f" (line {index.line(issue.first.start) + 1})"


def misspelt_headers(file: ConfigFile, tables: str = PROVIDERS) -> list[Issue]:
    """Those of `tables` that stand under the name that another line gives a string to."""
    return [
        issue
        for issue in file.document.issues
        if issue.path is not None
        and len(issue.path) > 1
        and _TABLES.get(issue.path[0]) == tables
        and issue.span.of(file.text) == issue.path[0]
    ]
