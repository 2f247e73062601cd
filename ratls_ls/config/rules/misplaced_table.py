"""`misplaced-table`: provider settings where nobody reads them."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.keys import PROVIDERS
from ratls_ls.config.lost import Lost, spelling_of
from ratls_ls.config.meant import NO_SUCH_PIN, POLICY_PATHS
from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.strays import PROFILE, PROFILES, Stray
from ratls_ls.config.tables import ConfigFile, Part
from ratls_ls.config.toml.values import Entry, Table, TableKind, shifted_entry, string_of
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="misplaced-table",
    severity=Severity.ERROR,
    words="""
    `use_ratls`, `ratls_policy` and `base_url` count in `[model_providers.<id>]` alone, and
    `model_provider` at the top or in a profile. In any other table, or under a misspelt
    `model_providers`, Codex ignores them or refuses to start, and so it does where profiles stand
    under `profile`, which selects one. While a policy or a pin stands at
    such a place ratls-ls attests no provider, since it may have been meant for any.
    """,
    example="""
    [ratls_policy]
    allowed_tdx_status = ["UpToDate"]
    """,
)

_PROVIDERS_OWN = ("base_url", "env_key", "wire_api")
_HOME = f"{PROVIDERS}.<id>"


def check_root(root: Table) -> Iterator[Problem]:
    for entry in _own_keys(root):
        message = f"`{entry.key.name}` belongs into [{_HOME}]; here Codex ignores it"
        yield RULE.problem(entry.key.span, message)


def check(file: ConfigFile, context: Context) -> Iterator[Problem]:
    for base, part in file.parts:
        if part.strays or part.misspelt:
            yield from _of_part(part, base, file, context)


def _of_part(part: Part, base: int, file: ConfigFile, context: Context) -> Iterator[Problem]:
    for entry in part.misspelt:
        yield _misspelt(file, shifted_entry(entry, base))
    for stray in part.strays:
        name = string_of(stray.value)
        known = name in file.providers or (context.base is not None and name in context.base.by_id)
        if stray.lost is not Lost.SELECTION or known:
            yield _problem(stray, base)


def _misspelt(file: ConfigFile, entry: Entry) -> Problem:
    name, of_profiles = entry.key.name, entry.key.name == PROFILE
    meant, effect = (PROFILES, "; Codex refuses to start") if of_profiles else (PROVIDERS, "")
    ids = entry.value.entries.keys() if isinstance(entry.value, Table) else ()
    implicit = isinstance(entry.value, Table) and entry.value.kind is TableKind.IMPLICIT
    edits = tuple(Edit(key.span, meant) for key in entry.keys)
    fixes: tuple[Fix, ...] = ()
    if file.has_room_for(ids, meant) and (implicit or not (of_profiles or file.is_codex_config)):
        fixes = (Fix(f"Rename to `{meant}`", edits),)
    what = "Profiles" if of_profiles else "Providers"
    message = f"{what} stand under `{meant}`, not `{shown(name)}`{effect}"
    return RULE.problem(entry.key.span, message, *fixes)


def _problem(stray: Stray, base: int) -> Problem:
    span = stray.key.span.shifted(base)
    name = shown(stray.key.name)
    match stray.lost:
        case Lost.SELECTION:
            message = (
                f"`{name}` selects no provider here; `model_provider` does, at the top or in a"
                " profile"
            )
            if not stray.selectable:
                return RULE.problem(span, message)
            edit = Edit(span, Lost.SELECTION.value)
            return RULE.problem(
                span, message, Fix(f"Rename to `{edit.new_text}`", (edit,), preferred=True)
            )
        case Lost.SWITCH:
            return RULE.problem(span, f"{_belongs(stray)}; here Codex ignores it")
        case Lost.POLICY:
            message = (
                f"{_belongs(stray)}; here Codex ignores it, and ratls-ls attests no provider while"
                " it may have been meant for any"
            )
            return RULE.problem(span, message)


def _belongs(stray: Stray) -> str:
    name = stray.key.name
    spelling = spelling_of(name) if stray.lost is Lost.POLICY else None
    path = POLICY_PATHS.get(spelling.word) if spelling is not None else None
    if path is None and NO_SUCH_PIN.fullmatch(name):
        return f"`{shown(name)}` is no key of a policy"
    path = path or (stray.lost.value,)
    home = ".".join((_HOME, *path[:-1]))
    renamed = "" if path[-1] == name else f" as `{path[-1]}`"
    return f"`{shown(name)}` belongs into [{home}]{renamed}"


def _own_keys(root: Table) -> Iterator[Entry]:
    profiles = root.get("profiles")
    values = [profile.value for profile in profiles] if isinstance(profiles, Table) else []
    for table in (root, *(value for value in values if isinstance(value, Table))):
        yield from (table.entries[name] for name in _PROVIDERS_OWN if name in table.entries)
