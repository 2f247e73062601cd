"""`unset-env-key`: an environment variable that is not set here."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.keys import RESERVED_IDS
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.secrets import VARIABLE_NAME, variable_shown
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import string_of

from .rule import Rule

RULE = Rule(
    code="unset-env-key",
    severity=Severity.INFORMATION,
    words="""
    The variable that `env_key` or `env_http_headers` names is not set in the environment of the
    language server. Codex refuses to send without the first and leaves out a header without the
    second. An editor started from the desktop may lack what a shell has.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    env_key = "TEE_KEY"
    """,
)


def check(provider: ProviderTable, context: Context) -> Iterator[Problem]:
    if context.environment is None or provider.id in RESERVED_IDS:
        return
    for entry in provider.variables:
        name = string_of(entry.value)
        # What is no name at all may be the secret itself, and is `invalid-env-key`.
        if name is None or not VARIABLE_NAME.fullmatch(name) or name in context.environment:
            continue
        variable = variable_shown(name, entry.key.name)
        message = f"{variable[:1].upper()}{variable[1:]} is not set here"
        yield RULE.problem(entry.value.span, message, provider=provider.id)
