"""`invalid-env-key`: what cannot be the name of an environment variable."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.secrets import VARIABLE_NAME
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import string_of

from .rule import Rule

RULE = Rule(
    code="invalid-env-key",
    severity=Severity.ERROR,
    words="""
    `env_key` and the values of `env_http_headers` are names of environment variables, not the
    secrets themselves. Such a name has letters, digits and underscores.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    env_key = "$TEE_KEY"
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for entry in provider.variables:
        text = string_of(entry.value)
        if text is None or VARIABLE_NAME.fullmatch(text):
            continue
        plain = text.strip().removeprefix("$").removeprefix("{").removesuffix("}")
        fixes: tuple[Fix, ...] = ()
        if VARIABLE_NAME.fullmatch(plain):
            edit = Edit(entry.value.span, quoted(plain))
            fixes = (Fix("Write the name alone", (edit,), preferred=True),)
        # The text may be the secret itself, so it is not repeated.
        message = f"`{entry.key.name}` must be the name of an environment variable, not its value"
        yield RULE.problem(entry.value.span, message, *fixes, provider=provider.id)
