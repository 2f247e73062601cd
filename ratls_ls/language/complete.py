"""What could be written at a cursor.

Invariant: only what is not there yet and what the config's own model knows is offered; measured
values only if they were just verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from ratls_ls.config.edits import quoted, spelled
from ratls_ls.config.keys import (
    PCCS_URLS,
    PHALA_PCCS_URL,
    REFERENCE_KEYS,
    RESERVED_IDS,
    KeyModel,
    Kind,
    find,
)
from ratls_ls.config.measurements import REGISTERS
from ratls_ls.config.model import Provider
from ratls_ls.config.read import ConfigFile
from ratls_ls.config.span import Span
from ratls_ls.config.statuses import MEANINGS
from ratls_ls.config.values import Table, strings
from ratls_ls.rats.policy import TcbStatus
from ratls_ls.status import ProviderStatus, State

from .context import Context, Wanted, context_at

StatusOf = Callable[[Provider], ProviderStatus]
_PROVIDERS = "model_providers"
_POLICY = (
    'ratls_policy = {{ tee_type = "Tdx", allowed_tdx_status = [{statuses}], pccs_url = "{pccs}" }}'
)
_STRICT = _POLICY.format(statuses='"UpToDate"', pccs=PHALA_PCCS_URL)
_DEVELOPMENT = _POLICY.format(
    statuses='"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded"', pccs=PHALA_PCCS_URL
)
_ATTESTED = f"""\
[model_providers.${{1:my-provider}}]
name = "${{2:My provider}}"
base_url = "https://${{3:llm.example.com}}/v1"
env_key = "${{4:MY_PROVIDER_KEY}}"
use_ratls = true

[model_providers.${{1:my-provider}}.ratls_policy]
tee_type = "Tdx"
allowed_tdx_status = ["UpToDate"]
pccs_url = "{PHALA_PCCS_URL}"
"""


class ItemKind(Enum):
    KEY = "key"
    VALUE = "value"
    PROVIDER = "provider"
    SNIPPET = "snippet"


@dataclass(frozen=True, slots=True)
class Item:
    """`new_text` replaces `span`; with `snippet` it has LSP's placeholders. `documentation` is
    Markdown."""

    label: str
    kind: ItemKind
    span: Span
    new_text: str
    detail: str = ""
    documentation: str = ""
    snippet: bool = False


def complete(file: ConfigFile, offset: int, status: StatusOf, *, snippets: bool) -> list[Item]:
    """What may be written at `offset`. `snippets`: whether the client has placeholders."""
    context = context_at(file, offset)
    if context is None:
        return []
    match context.wanted:
        case Wanted.HEADER:
            return list(_headers(file, context))
        case Wanted.KEY:
            return list(_keys(file, context, snippets=snippets))
        case Wanted.VALUE:
            return list(_values(file, context, status))


def _headers(file: ConfigFile, context: Context) -> Iterator[Item]:
    names = [f"{_PROVIDERS}.{spelled(name)}" for name in file.providers]
    policies = [
        f"{_PROVIDERS}.{spelled(name)}.ratls_policy"
        for name, table in file.providers.items()
        if table.policy_entry is None
    ]
    typed = context.typed.strip()
    for name in [*policies, *names, f"{_PROVIDERS}."]:
        if name.startswith(typed) and name != typed:
            yield Item(name, ItemKind.PROVIDER, context.span, name)


def _keys(file: ConfigFile, context: Context, *, snippets: bool) -> Iterator[Item]:
    path = context.path
    there = _present(file, path)
    if path == () or (path[0] == "profiles" and len(path) == 2):
        for name in REFERENCE_KEYS:
            if name not in there:
                detail = "the provider that prompts go to"
                yield Item(name, ItemKind.KEY, context.span, _assigned(name, context), detail)
        if path == () and context.alone and snippets:
            yield Item(
                "attested provider",
                ItemKind.SNIPPET,
                context.span,
                _ATTESTED,
                "a provider with a strict policy",
                snippet=True,
            )
        return
    if path[0] != _PROVIDERS or len(path) < 2:
        return
    model = find(*path[2:])
    for child in model.children if model is not None else ():
        if child.name not in there:
            yield _key(child, context, snippets=snippets)
    if len(path) == 2 and context.alone and "ratls_policy" not in there:
        yield Item("strict policy", ItemKind.SNIPPET, context.span, _STRICT, "UpToDate alone")
        yield Item(
            "development policy",
            ItemKind.SNIPPET,
            context.span,
            _DEVELOPMENT,
            "weaker: platforms that need hardening or configuration pass, too",
        )


def _key(model: KeyModel, context: Context, *, snippets: bool) -> Item:
    text, is_snippet = _assigned(model.name, context), False
    if snippets and not context.assigned:
        text, is_snippet = f"{model.name} = {_placeholder(model)}", True
    return Item(
        model.name,
        ItemKind.KEY,
        context.span,
        text,
        model.kind.value,
        documentation(model),
        is_snippet,
    )


def _assigned(name: str, context: Context) -> str:
    return name if context.assigned else f"{name} = "


def _placeholder(model: KeyModel) -> str:
    match model.kind:
        case Kind.STRING | Kind.URL | Kind.HEX:
            return '"$1"'
        case Kind.BOOLEAN:
            return "${1|true,false|}"
        case Kind.STRING_LIST:
            return '["$1"]'
        case Kind.STRING_MAP | Kind.TABLE:
            return "{ $1 }"
        case Kind.INTEGER:
            return f"${{1:{model.default or 0}}}"


def documentation(model: KeyModel) -> str:
    """What a key means, what Codex does with it, and its default."""
    parts = [model.summary]
    if model.codex:
        parts.append(model.codex)
    if model.default is not None:
        parts.append(f"Default: `{model.default}`")
    return "\n\n".join(parts)


def _present(file: ConfigFile, path: tuple[str, ...]) -> set[str]:
    if path[:1] == (_PROVIDERS,) and len(path) >= 2:
        table = file.providers.get(path[1])
        found = table.table.get(*path[2:]) if table is not None else None
    else:
        found = file.root.get(*path)
    return set(found.entries) if isinstance(found, Table) else set()


def _values(file: ConfigFile, context: Context, status: StatusOf) -> Iterator[Item]:
    path = context.path
    if path[-1:] and path[-1] in REFERENCE_KEYS and (len(path) == 1 or path[0] == "profiles"):
        for name in file.providers:
            if name not in RESERVED_IDS:
                yield _text(name, context, ItemKind.PROVIDER)
        return
    if path[:1] != (_PROVIDERS,) or len(path) < 3:
        return
    model = find(*path[2:])
    if model is None:
        return
    dotted = ".".join(path[3:]) if path[2] == "ratls_policy" else ""
    if dotted == "pccs_url":
        for url in PCCS_URLS:
            yield _text(url, context)
    elif dotted in REGISTERS and model.kind is Kind.HEX:
        yield from _measured(file, context, dotted, status)
    elif model.kind is Kind.BOOLEAN:
        for word in ("true", "false"):
            yield Item(word, ItemKind.VALUE, context.span, word)
    elif dotted == "allowed_tdx_status":
        yield from _statuses(file, context)
    else:
        for word in model.values:
            yield _text(word, context)


def _statuses(file: ConfigFile, context: Context) -> Iterator[Item]:
    policy = file.providers[context.path[1]].policy if context.path[1] in file.providers else None
    value = policy.get("allowed_tdx_status") if policy is not None else None
    listed = {TcbStatus.parse(text) for text, span in strings(value) if span != context.span}
    for word, meaning in MEANINGS.items():
        if word in listed or word is TcbStatus.REVOKED:
            continue
        text = f"{meaning.meaning} {meaning.remedy}"
        if context.in_array or context.quote:
            yield _text(word.value, context, detail="weak" if meaning.weak else "", about=text)
        else:
            label = f"[{quoted(word.value)}]"
            yield Item(label, ItemKind.VALUE, context.span, label, "", text)


def _measured(file: ConfigFile, context: Context, dotted: str, status: StatusOf) -> Iterable[Item]:
    table = file.providers.get(context.path[1])
    # A half-written pin makes the policy invalid, so its provider may be found by a clean reading.
    known = status(table.provider) if table is not None and table.provider is not None else None
    if known is None or known.state is not State.AFFIRMED or known.result is None:
        return
    value = known.result.measurements.get(REGISTERS[dotted].value)
    if value is not None:
        yield _text(value, context, detail="just verified live")


def _text(
    word: str,
    context: Context,
    kind: ItemKind = ItemKind.VALUE,
    *,
    detail: str = "",
    about: str = "",
) -> Item:
    quote = context.quote
    spelling = f"{quote}{word}{quote}" if quote and word.isprintable() else quoted(word)
    return Item(word, kind, context.span, spelling, detail, about)
