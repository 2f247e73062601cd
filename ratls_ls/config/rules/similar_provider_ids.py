"""`similar-provider-ids`: two providers that differ by case or blanks alone."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.strays import folded, is_policy_alone
from ratls_ls.config.tables import ConfigFile, ProviderTable
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
    first: dict[str, ProviderTable] = {}
    for provider in file.providers.values():
        other = first.setdefault(folded(provider.id), provider)
        if other.id != provider.id:
            message = (
                f"Only case or blanks tell this from provider `{shown(other.id)}`: Codex takes them"
                " for two"
            )
            if is_policy_alone(provider.table) or is_policy_alone(other.table):
                message += ", so the policy of one is not the other's; ratls-ls attests neither"
            yield RULE.problem(provider.id_spans[0], message, provider=provider.id)
