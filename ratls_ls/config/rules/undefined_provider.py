"""`undefined-provider`: a reference to a provider that is nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.edits import quoted
from ratls_ls.config.keys import BUILT_IN_IDS
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ConfigFile
from ratls_ls.config.words import nearest, shown

from .rule import Rule
from .toml_syntax import misspelt_headers

RULE = Rule(
    code="undefined-provider",
    severity=Severity.ERROR,
    words="""
    `model_provider` or `oss_provider`, at the top or in a profile, names a provider that has no
    table. Codex refuses to start (with that profile). The file of a profile may name what the
    user's own config defines. In a project's config nothing is said, since others may define it.
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
    known = {*file.providers, *(base.by_id if base is not None else ()), *BUILT_IN_IDS}
    known.update(issue.path[1] for issue in misspelt_headers(file) if issue.path is not None)
    place = "here" if context.kind == "user" else "here or in config.toml"
    undefined = (reference for reference in file.references if reference.id not in known)
    for count, reference in enumerate(undefined):
        message = f"No provider `{shown(reference.id)}` is defined {place}: Codex refuses to start"
        # Looking for what was meant takes time for each provider.
        meant = nearest(reference.id, known) if count < _MOST_SUGGESTIONS else None
        if meant is None:
            yield RULE.problem(reference.span, message)
            continue
        edit = Edit(reference.span, quoted(meant))
        fix = Fix(f"Change to {quoted(meant)}", (edit,), preferred=True)
        yield RULE.problem(reference.span, f"{message}. Did you mean `{meant}`?", fix)
