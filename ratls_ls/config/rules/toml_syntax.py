"""`toml-syntax`: text that is not TOML 1.0."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ConfigFile

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
    for issue in file.document.issues:
        yield RULE.problem(issue.span, issue.message)
