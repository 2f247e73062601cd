"""`unattested-default`: the default provider is not the attested one."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.keys import BUILT_IN_IDS
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ConfigFile
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="unattested-default",
    severity=Severity.INFORMATION,
    words="""
    A provider is attested, but prompts go to another by default: the one that `model_provider`
    names, of the `profile` selected if that has one, has no `use_ratls = true`. Without any
    `model_provider` it is OpenAI. The command line may say otherwise. In a project's config or a
    profile's file nothing is said of a missing `model_provider`, since the user's own may have it.
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


def check(file: ConfigFile, context: Context) -> Iterator[Problem]:
    providers = file.providers
    if context.base is not None:
        providers = {**context.base.by_id, **providers}
    attested = [provider for provider in providers.values() if provider.attested]
    if not attested:
        return
    default = file.default
    if default is None:
        if context.kind == "user":
            message = (
                "No `model_provider` is set: by default prompts go to OpenAI, not to"
                f" `{shown(attested[0].id)}`"
            )
            yield RULE.problem(attested[0].id_spans[0], message, provider=attested[0].id)
        return
    if default.id in providers and providers[default.id].broken:
        return
    known = default.id in providers or default.id in BUILT_IN_IDS
    if known and not any(provider.id == default.id for provider in attested):
        message = f"`{shown(default.id)}` is not attested: by default prompts go there unverified"
        yield RULE.problem(default.span, message)
