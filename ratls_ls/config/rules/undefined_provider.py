"""`undefined-provider`: a reference to a provider that is nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.edits import quoted
from ratls_ls.config.keys import BEDROCK_IDS, BUILT_IN_IDS, Reader, built_into
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.strays import PROFILES
from ratls_ls.config.tables import ConfigFile, Reference
from ratls_ls.config.words import nearest, shown

from .rule import Rule
from .toml_syntax import misspelt_headers

RULE = Rule(
    code="undefined-provider",
    severity=Severity.ERROR,
    words="""
    `model_provider` or `oss_provider`, at the top or in a profile, names a provider that has no
    table. Codex refuses to start: with `--oss` for the latter, and with that profile, which is the
    RA-TLS fork's under `[profiles.<name>]` and upstream's in a file of its own. Such a file may
    name what the user's own config defines. In a project's config nothing is said, since others may
    define it. One that is built into upstream alone is told of as information, where anything is
    attested.
    """,
    example="""
    model_provider = "te"

    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    """,
)


_MOST_SUGGESTIONS = 20


def check(file: ConfigFile, context: Context) -> Iterator[Problem]:
    base = context.base
    if context.kind != "user" and (base is None or not base.whole):
        return
    if all(reference.id in file.tables for reference in file.references):
        return
    defined = {*file.providers, *(base.by_id if base is not None else ())}
    known = {*defined, *BUILT_IN_IDS}
    known.update(issue.path[1] for issue in misspelt_headers(file) if issue.path is not None)
    place = "here" if context.kind == "user" else "here or in config.toml"
    undefined = (reference for reference in file.references if reference.id not in known)
    bare = {table.id for _, table in file.tables.values() if not table.table.entries}
    for count, reference in enumerate(undefined):
        message = f"No provider `{shown(reference.id)}` is defined {place}: "
        message += _effect(reference, context)
        # Looking for what was meant takes time for each provider.
        suggested = count < _MOST_SUGGESTIONS
        typed = {each for each in bare if reference.id.startswith(each)} if suggested else set()
        meant = nearest(reference.id, known - typed) if suggested else None
        if meant is not None:
            yield RULE.problem(
                *(reference.span, f"{message}. Did you mean `{meant}`?"),
                _change(reference, meant, preferred=True),
            )
        elif len(defined) == 1 and not typed:
            yield RULE.problem(reference.span, message, _change(reference, *defined))
        else:
            yield RULE.problem(reference.span, message)
    if any(table.attested for _, table in file.tables.values()):
        yield from _unknown_to_fork(file, defined, context)


def _change(reference: Reference, other: str, *, preferred: bool = False) -> Fix:
    edit = Edit(reference.span, quoted(other))
    return Fix(f"Change to {quoted(other)}", (edit,), preferred=preferred)


def _effect(reference: Reference, context: Context, who: str = "Codex") -> str:
    """Who does not start, and with what. `who`: with what stands at the top of a user's config."""
    required = []
    if reference.path[0] == PROFILES:
        who = Reader.FORK.value
        required.append(f"the profile `{shown(reference.path[1])}`")
    elif context.kind == "profile":
        who = Reader.UPSTREAM.value
        required.append("this profile")
    if reference.path[-1] == "oss_provider":
        required.append("`--oss`")
    return f"{who} refuses to start" + (f" with {' and '.join(required)}" if required else "")


def _unknown_to_fork(file: ConfigFile, defined: set[str], context: Context) -> Iterator[Problem]:
    # The fork reads no profile's file.
    for reference in file.references if context.kind == "user" else ():
        if reference.id in BEDROCK_IDS and reference.id not in defined:
            effect = _effect(reference, context, Reader.FORK.value)
            message = f"`{reference.id}` is built into {built_into(reference.id)}: {effect}"
            problem = RULE.problem(reference.span, message)
            yield problem._replace(severity=Severity.INFORMATION)
