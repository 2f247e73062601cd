"""What could be written at a cursor.

Invariant: only what is not there yet and what the config's own model knows is offered; measured
values only if they were just verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import Enum

from ratls_ls.config.edits import quoted, spelled
from ratls_ls.config.keys import (
    BUILT_IN_IDS,
    PCCS_URLS,
    PHALA_PCCS_URL,
    PROVIDERS,
    RATLS_POLICY,
    REFERENCES,
    KeyModel,
    Kind,
    find,
    reference,
    settable,
)
from ratls_ls.config.measurements import REGISTERS
from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.config.record import record
from ratls_ls.config.span import Span
from ratls_ls.config.strays import PROFILES
from ratls_ls.config.toml.values import Table, TableKind
from ratls_ls.config.words import printable
from ratls_ls.rats.policy import TcbStatus
from ratls_ls.rats.result import AttestationResult
from ratls_ls.rats.statuses import MEANINGS

from . import explain
from .cursor import Cursor, Wanted, cursor_at

MeasuredOf = Callable[[ProviderTable], AttestationResult | None]
"""What the server of a provider was affirmed with last, whatever its text says meanwhile."""

_ASSIGN = " = "
_POLICY = "ratls_policy"
_POLICIES = {
    "strict policy": ("UpToDate alone", '"UpToDate"'),
    "development policy": (
        "weaker: platforms that need hardening or configuration pass, too",
        '"UpToDate", "SWHardeningNeeded", "ConfigurationNeeded"',
    ),
}
ATTESTED = f"""\
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
"""A provider with a strict policy, as a snippet."""


class ItemKind(Enum):
    KEY = "key"
    VALUE = "value"
    PROVIDER = "provider"
    SNIPPET = "snippet"


@record(eq=True, slots=True)
class Item:
    """`label` is printable; `new_text` replaces `span`; with `snippet` it has LSP's placeholders.
    `topic` is what `explain` has more to say of."""

    label: str
    kind: ItemKind
    span: Span
    new_text: str
    detail: str = ""
    topic: str = ""
    snippet: bool = False


def complete(
    file: ConfigFile,
    offset: int,
    measured: MeasuredOf,
    *,
    snippets: bool,
    base: ConfigFile | None = None,
) -> list[Item]:
    """What may be written at `offset`. `snippets`: whether the client has placeholders. `base`: the
    user's own config, if this one is laid over it."""
    cursor = cursor_at(file, offset)
    if cursor is None:
        return []
    match cursor.wanted:
        case Wanted.HEADER:
            found = list(_headers(file, cursor, base))
        case Wanted.KEY:
            found = list(_keys(file, cursor, snippets=snippets))
            # Whole tables, where none of the keys that follow would come to stand in them.
            if snippets and cursor.last and _takes_headers(file):
                found.append(_whole_provider(cursor))
        case Wanted.VALUE:
            found = list(_values(file, cursor, measured, base))
    found = _matching(found, cursor.typed)
    if cursor.separator:
        found = [replace(item, new_text=item.new_text + cursor.separator) for item in found]
    return found


def _matching(items: list[Item], typed: str) -> list[Item]:
    """Those whose labels have the letters of `typed` in order; first those that begin with it."""
    # Not left to a filterText: Neovim before 0.10 ignores the span of what has one, and later ones
    # show all that has none.
    start = typed.strip().lower()
    if not start:
        return items
    found = [item for item in items if _has_in_order(item.label.lower(), start)]
    return sorted(found, key=lambda item: not item.label.lower().startswith(start))


def _has_in_order(label: str, letters: str) -> bool:
    rest = iter(label)
    return all(letter in rest for letter in letters)


def _headers(file: ConfigFile, cursor: Cursor, base: ConfigFile | None) -> Iterator[Item]:
    typed = cursor.typed.strip()
    for names in _tables_to_come(file, base):
        name = ".".join(map(spelled, names))
        if name != typed:
            end = "" if cursor.ended else "]"
            yield Item(name, ItemKind.PROVIDER, cursor.span, name + end)
    prefix = f"{PROVIDERS}."
    if prefix != typed and _takes_headers(file):
        yield Item(prefix, ItemKind.PROVIDER, cursor.span, prefix, "a provider of a new id")
    prefix = f"{PROFILES}."
    if prefix != typed and base is None and _takes_headers(file, PROFILES):
        yield Item(prefix, ItemKind.PROVIDER, cursor.span, prefix, "a profile of a new name")


def _takes_headers(file: ConfigFile, name: str = PROVIDERS) -> bool:
    """Whether the tables in the one of this name may stand under headers: no value has them all."""
    found = (part.group.root.get(name) for _, part in file.parts)
    return not any(
        each is not None and not (isinstance(each, Table) and each.kind is not TableKind.INLINE)
        for each in found
    )


def _tables_to_come(file: ConfigFile, base: ConfigFile | None) -> Iterator[tuple[str, ...]]:
    """The tables that a header may open, because nothing has yet."""
    if not _takes_headers(file):
        return
    there = {*file.providers, *(base.providers if base is not None else ()), *BUILT_IN_IDS}
    for named in file.references:
        if named.id not in there:
            yield PROVIDERS, named.id
    for name, table in file.providers.items():
        for path in _missing_tables(table.table, settable(name)):
            yield PROVIDERS, name, *path


def _missing_tables(table: Table, known: Iterable[KeyModel]) -> Iterator[tuple[str, ...]]:
    """The paths of the tables that headers may add to `table`."""
    if table.kind is TableKind.INLINE:
        return
    for key in known:
        found = table.get(key.name)
        if isinstance(found, Table):
            for path in _missing_tables(found, key.children):
                yield key.name, *path
        elif _is_table(key) and _may_be_added(key, table.entries.keys()):
            yield (key.name,)


def _is_table(key: KeyModel) -> bool:
    return key.kind in (Kind.TABLE, Kind.STRING_MAP)


def _may_be_added(key: KeyModel, there: AbstractSet[str]) -> bool:
    return key.name not in there and there.isdisjoint(key.excluded_by)


def _keys(file: ConfigFile, cursor: Cursor, *, snippets: bool) -> Iterator[Item]:
    path = cursor.path
    there = set() if cursor.dotted else _present(file, cursor) | cursor.there
    if path == () or (path[0] == "profiles" and len(path) == 2):
        for key in REFERENCES if not cursor.dotted else ():
            if key.name not in there:
                yield _key(key, key.name, cursor, snippets=snippets)
        return
    if path[0] != PROVIDERS or len(path) < 2:
        return
    known = settable(*path[1:])
    for child in known:
        if _may_be_added(child, there) and (_is_table(child) or not cursor.dotted):
            topic = ".".join((*path[2:], child.name))
            yield _key(child, topic, cursor, snippets=snippets)
    if cursor.alone and (RATLS_POLICY in known or known is RATLS_POLICY.children):
        yield from _policies(cursor, there)


def _whole_provider(cursor: Cursor) -> Item:
    detail = "a provider with a strict policy"
    return Item("attested provider", ItemKind.SNIPPET, cursor.span, ATTESTED, detail, snippet=True)


def _policies(cursor: Cursor, there: set[str]) -> Iterator[Item]:
    """Whole policies: as one key of a provider, or as the keys of a policy that has none yet."""
    is_provider = len(cursor.path) == 2 and _POLICY not in there
    is_policy = cursor.path[2:] == (_POLICY,) and not there
    for label, (detail, statuses) in _POLICIES.items():
        lines = (
            'tee_type = "Tdx"',
            f"allowed_tdx_status = [{statuses}]",
            f'pccs_url = "{PHALA_PCCS_URL}"',
        )
        if is_provider:
            text = f"{_POLICY} = {{ {', '.join(lines)} }}"
            yield Item(label, ItemKind.SNIPPET, cursor.span, text, detail)
        elif is_policy:
            yield Item(label, ItemKind.SNIPPET, cursor.span, "\n".join(lines), detail)


def _key(model: KeyModel, topic: str, cursor: Cursor, *, snippets: bool) -> Item:
    text, is_snippet = _assigned(model.name, cursor), False
    if snippets and text.endswith(_ASSIGN):
        text, is_snippet = text + _placeholder(model), True
    return Item(
        model.name, ItemKind.KEY, cursor.span, text, model.kind.value, topic, snippet=is_snippet
    )


def _assigned(name: str, cursor: Cursor) -> str:
    if cursor.closed or cursor.ended or cursor.dotted:
        return name
    return name + cursor.quote + _ASSIGN


def _placeholder(model: KeyModel) -> str:
    known = PCCS_URLS if model.name == "pccs_url" else model.values
    match model.kind:
        case Kind.STRING | Kind.URL if known:
            return f'"{_choice(known)}"'
        case Kind.STRING | Kind.URL | Kind.HEX:
            return '"$1"'
        case Kind.BOOLEAN:
            return _choice(("true", "false"))
        case Kind.STRING_LIST:
            return '["$1"]'
        case Kind.STRING_MAP | Kind.TABLE:
            return "{ $1 }"
        case Kind.INTEGER:
            return f"${{1:{model.default or 0}}}"


def _choice(words: Iterable[str]) -> str:
    """`words`: none with a comma or a bar in it."""
    return f"${{1|{','.join(words)}|}}"


def _present(file: ConfigFile, cursor: Cursor) -> set[str]:
    """The keys of the cursor's table but for the one that it is about to write."""
    path, base = cursor.path, 0
    if path[:1] == (PROVIDERS,) and len(path) >= 2:
        table = file.providers.get(path[1])
        # Names are wanted: no need to have every span where it stands.
        value = table.relative_entry.value if table is not None else None
        base = table.base if table is not None else 0
        found = value.get(*path[2:]) if isinstance(value, Table) else None
    else:
        found = file.root.get(*path)
    entries = found.entries if isinstance(found, Table) else {}
    there = set(entries)
    word = cursor.span.of(file.text)
    start = cursor.span.start - len(cursor.quote)
    own = entries.get(word) if not cursor.ended else None
    if own is not None and [key.span.start + base for key in own.keys] == [start]:
        there.remove(word)
    return there


def _values(
    file: ConfigFile, cursor: Cursor, measured: MeasuredOf, base: ConfigFile | None
) -> Iterator[Item]:
    path = cursor.path
    if reference(path) is not None:
        yield from _provider_ids(file, cursor, base)
        return
    if path[:1] != (PROVIDERS,) or len(path) < 3:
        return
    model = find(*path[2:])
    if model is None:
        return
    dotted = ".".join(path[3:]) if path[2] == _POLICY else ""
    if dotted == "pccs_url":
        for url in PCCS_URLS:
            yield _text(url, cursor)
    elif dotted in REGISTERS and model.kind is Kind.HEX:
        yield from _measured(file, cursor, dotted, measured)
    elif model.kind is Kind.BOOLEAN:
        for word in ("true", "false"):
            yield Item(word, ItemKind.VALUE, cursor.span, word)
    elif dotted == "allowed_tdx_status":
        yield from _statuses(cursor)
    else:
        for word in model.values:
            yield _text(word, cursor)


def _provider_ids(file: ConfigFile, cursor: Cursor, base: ConfigFile | None) -> Iterator[Item]:
    further = base.providers if base is not None else {}
    for name, table in {**further, **file.providers}.items():
        if name not in BUILT_IN_IDS:
            detail = "use_ratls = true" if table.attested else "not attested"
            yield _text(name, cursor, ItemKind.PROVIDER, detail=detail)
    for name in BUILT_IN_IDS:
        yield _text(name, cursor, ItemKind.PROVIDER, detail=explain.built_in(name))


def _statuses(cursor: Cursor) -> Iterator[Item]:
    listed = {TcbStatus.parse(text) for text in cursor.there}
    for word, meaning in MEANINGS.items():
        if word in listed or word is TcbStatus.REVOKED:
            continue
        detail = "weak" if meaning.weak else ""
        if cursor.in_array or cursor.quote:
            yield _text(word.value, cursor, detail=detail, topic=word.value)
        else:
            label = f"[{quoted(word.value)}]"
            yield Item(label, ItemKind.VALUE, cursor.span, label, detail, word.value)


def _measured(
    file: ConfigFile, cursor: Cursor, dotted: str, measured: MeasuredOf
) -> Iterator[Item]:
    table = file.providers.get(cursor.path[1])
    result = measured(table) if table is not None else None
    value = result.measurements.get(REGISTERS[dotted].value) if result is not None else None
    if result is not None and value is not None:
        detail = "SIMULATED, just verified" if result.simulated else "just verified live"
        yield _text(value, cursor, detail=detail)


def _text(
    word: str,
    cursor: Cursor,
    kind: ItemKind = ItemKind.VALUE,
    *,
    detail: str = "",
    topic: str = "",
) -> Item:
    span, spelling = cursor.span, quoted(word)
    match cursor.quote:
        case '"':
            spelling = spelling[1:-1] if cursor.closed else spelling[1:]
        case "'" if word.isprintable() and "'" not in word:
            spelling = word if cursor.closed else word + "'"
        case "'":
            # It takes other quotes.
            span = Span(span.start - 1, span.end + cursor.closed)
    return Item(printable(word), kind, span, spelling, detail, topic)
