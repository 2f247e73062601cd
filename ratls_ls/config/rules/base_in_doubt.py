"""`base-in-doubt`: a profile over a config that is wrong itself."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ConfigFile
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="base-in-doubt",
    severity=Severity.ERROR,
    words="""
    The file of a profile is laid over the user's own `config.toml`. That one cannot be read (it is
    not TOML or not UTF-8, too large, no file, or a link to nothing), or it has a policy or a
    provider where nobody reads it. What it requires of a provider is not known then, so ratls-ls
    attests none of this profile's. Nor does it attest one that has an error there which this
    profile leaves.
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
    if base is None or not file.providers:
        return
    if base.sound:
        for start, part in file.parts:
            for table, error in part.hidden:
                message = (
                    "Not attested: config.toml, which this profile is laid over, has an error in"
                    f" `{shown(table.id)}`. {error.message}"
                )
                yield RULE.problem(table.span.shifted(start), message, provider=table.id)
        return
    why = (
        "has a policy or a provider where nobody reads it"
        if base.whole
        else "cannot be read as a whole"
    )
    first = min(table.span for table in file.providers.values())
    yield RULE.problem(
        first,
        f"config.toml, which this profile is laid over, {why}: ratls-ls attests none of these"
        " providers, since it may require anything of them",
    )
