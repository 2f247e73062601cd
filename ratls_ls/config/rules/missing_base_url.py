"""`missing-base-url`: a provider meant to be attested has no address."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import add_key
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="missing-base-url",
    severity=Severity.ERROR,
    words="""
    A provider with `use_ratls` or a policy has no `base_url`. Codex then talks to api.openai.com,
    which is no TEE.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    use_ratls = true
    """,
    of_absence=True,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    meant = provider.attested or provider.policy_entry is not None
    if not meant or "base_url" in provider.table.entries:
        return
    meant = provider.is_meant("base_url")
    edit = None if meant else add_key(provider, (), "base_url", '"https://tee.example/v1"')
    fixes = (Fix("Add `base_url`, for you to fill in", (edit,)),) if edit else ()
    message = "`base_url` is missing: without it Codex talks to api.openai.com"
    yield RULE.problem(provider.span, message, *fixes, provider=provider.id)
