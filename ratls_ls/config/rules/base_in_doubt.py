"""`base-in-doubt`: a profile over a config that cannot be read as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ConfigFile

from .rule import Rule

RULE = Rule(
    code="base-in-doubt",
    severity=Severity.ERROR,
    words="""
    The file of a profile is laid over the user's own `config.toml`. That one cannot be read (it is
    not TOML or not UTF-8, too large, no file, or a link to nothing), or it has a policy where
    nobody reads it. What it requires of a provider is not known then, so ratls-ls attests none of
    this profile's.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    """,
)


def check(file: ConfigFile, context: Context) -> Iterator[Problem]:
    base = context.base
    if base is None or base.sound or not file.providers:
        return
    why = "has a policy where nobody reads it" if base.whole else "cannot be read as a whole"
    first = min(table.span for table in file.providers.values())
    yield RULE.problem(
        first,
        f"config.toml, which this profile is laid over, {why}: ratls-ls attests none of these"
        " providers, since it may require anything of them",
    )
