"""`unattested-default`: the default provider is not the attested one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ratls_ls.config.context import Context
from ratls_ls.config.keys import BUILT_IN_IDS, RESERVED_IDS
from ratls_ls.config.lost import Lost, losing
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ConfigFile, ProviderTable
from ratls_ls.config.toml.values import string_of
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

# Tables that may name one.
_NAMING = ("profile", "profiles", "model_provider")


def check(file: ConfigFile, context: Context) -> Iterator[Problem]:
    default = file.default
    if default is not None and (named := file.tables.get(default.id)) and _attests(named[1]):
        return
    providers: Mapping[str, ProviderTable] = file.providers
    if context.base is not None:
        providers = {**context.base.by_id, **providers}
    attested = [provider for provider in providers.values() if _attests(provider)]
    if not attested:
        return
    if default is None:
        if context.kind == "user" and not _may_be_named(file):
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


def _attests(provider: ProviderTable) -> bool:
    """Whether the switch counts that stands there."""
    return provider.attested and provider.id not in RESERVED_IDS


def _may_be_named(file: ConfigFile) -> bool:
    """Whether a default is half typed, or named where nobody reads it, which is told there."""
    top = file.parts[0][1].group.root if file.parts else None
    if top is not None and "model_provider" in top.entries:
        return True
    if any(
        stray.lost is Lost.SELECTION and string_of(stray.value) in file.providers
        for _, part in file.parts
        for stray in part.strays
    ):
        return True
    lost = losing(file.document.issues, file.document.sections)
    return any(not issue.path or issue.path[0] in _NAMING for issue, _ in lost)
