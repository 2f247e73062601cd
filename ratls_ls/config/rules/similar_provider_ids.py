"""`similar-provider-ids`: two providers that differ by case or blanks alone."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ConfigFile
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="similar-provider-ids",
    severity=Severity.WARNING,
    words="""
    Ids are compared exactly. Two that look alike make it easy to use the one without attestation.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true

    [model_providers.TEE]
    name = "TEE, not attested"
    base_url = "https://plain.example/v1"
    """,
)


def check(file: ConfigFile, _: Context) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for provider in file.providers.values():
        other = first.setdefault(provider.id.strip().casefold(), provider.id)
        if other != provider.id:
            message = (
                f"Only case or blanks tell this from provider `{shown(other)}`: Codex takes them"
                " for two"
            )
            yield RULE.problem(provider.id_spans[0], message, provider=provider.id)
