"""`exposed-file`: a config that others can change, or read a credential from."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.span import Span
from ratls_ls.config.tables import ConfigFile, ProviderTable

from .literal_credential import credentials
from .rule import Rule

RULE = Rule(
    code="exposed-file",
    severity=Severity.WARNING,
    words="""
    The file's permissions let other users of this machine change it, and so where prompts go and
    what must be attested, or let them read a credential that stands in it.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    experimental_bearer_token = "…"
    """,
)

_ANYONE_WRITES = 0o002
_OTHERS_READ = 0o044


def check(file: ConfigFile, context: Context) -> Iterator[Problem]:
    if context.mode is not None and context.mode & _ANYONE_WRITES and file.text:
        end = file.text.find("\n")
        first_line = Span(0, end if end > 0 else 1)
        message = "Every user of this machine can change this file: `chmod o-w` it"
        yield RULE.problem(first_line, message)


def check_provider(provider: ProviderTable, context: Context) -> Iterator[Problem]:
    if context.mode is not None and context.mode & _OTHERS_READ:
        message = "Other users of this machine can read this credential: `chmod 600` the file"
        for entry, _ in credentials(provider):
            yield RULE.problem(entry.span, message, provider=provider.id)
