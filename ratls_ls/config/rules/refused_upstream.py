"""`refused-upstream`: a provider that upstream Codex does not start with."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.keys import BEDROCK_IDS
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Invalid, Table, string_of

from .rule import Rule

RULE = Rule(
    code="refused-upstream",
    severity=Severity.WARNING,
    words="""
    Upstream Codex refuses to start with a provider whose `name` is blank, whose `auth` has no
    `command`, or that has `aws` without being `amazon-bedrock` or `amazon-bedrock-runtime`. The
    RA-TLS fork does not mind.
    """,
    example="""
    [model_providers.tee]
    name = ""
    base_url = "https://tee.example/v1"
    use_ratls = true
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    entries = provider.table.entries
    built_in = provider.id in BEDROCK_IDS
    name = string_of(provider.table.get("name"))
    if name is not None and not name.strip() and not built_in:
        message = "`name` is blank: upstream Codex refuses to start"
        yield RULE.problem(entries["name"].value.span, message, provider=provider.id)
    auth = provider.table.get("auth")
    if isinstance(auth, Table):
        command = auth.get("command")
        text = string_of(command)
        if command is None or (text is not None and not text.strip()):
            span = entries["auth"].key.span if command is None else command.span
            message = "`auth` needs a `command`: upstream Codex refuses to start"
            yield RULE.problem(span, message, provider=provider.id)
    aws = entries.get("aws")
    if aws is not None and not isinstance(aws.value, Invalid) and not built_in:
        message = f"`aws` is for `{BEDROCK_IDS[0]}` alone: upstream Codex refuses to start"
        yield RULE.problem(aws.key.span, message, provider=provider.id)
