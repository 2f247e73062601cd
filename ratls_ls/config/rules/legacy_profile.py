"""`legacy-profile`: profiles where upstream Codex no longer looks for them."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.toml.values import Table, string_of

from .rule import Rule

RULE = Rule(
    code="legacy-profile",
    severity=Severity.INFORMATION,
    words="""
    The RA-TLS fork reads `profile` and `[profiles.<name>]`. Upstream Codex from 0.134 does not: it
    refuses to start with `profile`, or where `--profile` names one of these tables. There a profile
    is a file, `<name>.config.toml` beside `config.toml`, of what is to differ.
    """,
    example="""
    [profiles.work]
    model_provider = "tee"

    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    """,
)

_INSTEAD = "there a profile is a file, `<name>.config.toml`"


def check_root(root: Table) -> Iterator[Problem]:
    profile, profiles = root.entries.get("profile"), root.entries.get("profiles")
    if profile is not None and string_of(profile.value) is not None:
        message = f"Upstream Codex from 0.134 refuses to start with `profile`: {_INSTEAD}"
        yield RULE.problem(profile.key.span, message)
    if profiles is not None and isinstance(profiles.value, Table):
        message = f"Upstream Codex from 0.134 reads no `profiles`: {_INSTEAD}"
        yield RULE.problem(profiles.key.span, message)
