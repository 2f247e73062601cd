"""`credential-fallback`: the OpenAI token goes to another host."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Scalar

from .rule import Rule

RULE = Rule(
    code="credential-fallback",
    severity=Severity.WARNING,
    words="""
    An attested provider without `env_key`, `experimental_bearer_token` or `auth` has no
    credential of its own. The RA-TLS fork then sends the token of the logged-in OpenAI user to
    its host, as it does with `requires_openai_auth = true`. ratls-ls sends none.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    """,
    of_absence=True,
)

_OWN = ("env_key", "experimental_bearer_token", "auth")


def check(provider: ProviderTable) -> Iterator[Problem]:
    table = provider.table
    if not provider.attested or any(key in table.entries for key in _OWN):
        return
    switch = table.entries.get("requires_openai_auth")
    if switch is not None and isinstance(switch.value, Scalar) and switch.value.value is True:
        message = "Codex sends the logged-in OpenAI user's token to this host"
        yield RULE.problem(switch.span, message, provider=provider.id)
        return
    message = (
        "No `env_key`: the RA-TLS fork then sends the logged-in OpenAI user's token to this host"
    )
    yield RULE.problem(provider.span, message, provider=provider.id)
