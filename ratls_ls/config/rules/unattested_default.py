"""`unattested-default`: the default provider is not the attested one."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ConfigFile

from .rule import Rule

RULE = Rule(
    code="unattested-default",
    severity=Severity.INFORMATION,
    words="""
    `model_provider` names a provider without `use_ratls = true` although another is attested:
    unless a profile or the command line says otherwise, prompts go to the one that is not.
    """,
    example="""
    model_provider = "plain"

    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true

    [model_providers.plain]
    name = "Plain"
    base_url = "https://plain.example/v1"
    """,
)


def check(file: ConfigFile, _: Context) -> Iterator[Problem]:
    attested = {provider.id for provider in file.providers.values() if provider.attested}
    for reference in file.references:
        if reference.path != ("model_provider",) or not attested or reference.id in attested:
            continue
        if reference.id in file.providers:
            message = f"`{reference.id}` is not attested: by default prompts go there unverified"
            yield RULE.problem(reference.span, message)
