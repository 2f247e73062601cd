"""The outline of a config, and every place that names a provider.

Invariant: a provider's id is compared as TOML means it, whatever its spelling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ratls_ls.config.edits import quoted, spelled
from ratls_ls.config.keys import BUILT_IN_IDS, built_into
from ratls_ls.config.problem import Edit
from ratls_ls.config.read import ConfigFile
from ratls_ls.config.span import Span
from ratls_ls.config.toml.values import Entry, Table, string_of
from ratls_ls.config.urls import Url, parse_url


@dataclass(frozen=True, slots=True)
class Symbol:
    """`span` holds the spans of all `children`; `name_span` is within it."""

    name: str
    detail: str
    span: Span
    name_span: Span
    children: tuple[Symbol, ...] = ()


def outline(file: ConfigFile) -> list[Symbol]:
    """The providers with their keys."""
    found = []
    for table in file.providers.values():
        children = tuple(_symbol(entry) for entry in table.table)
        detail = "use_ratls = true" if table.attested else "not attested"
        found.append(_around(table.id, detail, table.span, children))
    return found


def _symbol(entry: Entry) -> Symbol:
    inner = tuple(entry.value) if isinstance(entry.value, Table) else ()
    return _around(entry.key.name, "", entry.span, tuple(_symbol(child) for child in inner))


def _around(name: str, detail: str, span: Span, children: tuple[Symbol, ...]) -> Symbol:
    start = min([span.start, *(child.span.start for child in children)])
    end = max([span.end, *(child.span.end for child in children)])
    return Symbol(name, detail, Span(start, end), span, children)


def provider_at(file: ConfigFile, offset: int) -> tuple[str, Span] | None:
    """The provider id that a cursor touches, and the span of its spelling. None for one that is
    built into Codex."""
    for reference in file.references:
        if reference.span.contains(offset) and reference.id not in BUILT_IN_IDS:
            return reference.id, reference.span
    for table in file.providers.values():
        for span in table.id_spans:
            if span.contains(offset):
                return table.id, span
    return None


def definitions(file: ConfigFile, provider: str) -> list[Span]:
    """Where the provider's table is; empty if it has none."""
    table = file.providers.get(provider)
    return [table.span] if table is not None else []


def references(file: ConfigFile, provider: str, *, declaration: bool) -> list[Span]:
    """Every place that names the provider; with `declaration` those that define it, too."""
    spans = [reference.span for reference in file.references if reference.id == provider]
    table = file.providers.get(provider)
    if declaration and table is not None:
        spans += table.id_spans
    return sorted(spans)


def rename(files: Sequence[ConfigFile], provider: str, new: str) -> list[list[Edit]] | str:
    """The edits, for each of the files that share this id, that give the provider another; or why
    that cannot be."""
    if not new or not new.isprintable():
        return "an id has at least one character and no control characters"
    defined = any(provider in file.providers for file in files)
    if defined and any(new in file.providers for file in files):
        return f"there is a provider {new} already"
    if new in BUILT_IN_IDS:
        return f"{new} is built into {built_into(new)}: choose another id"
    if any(file.document.issues for file in files):
        whole = "not all of this file" if len(files) == 1 else "not all of the files that name it"
        return f"{whole} can be read; mend the syntax errors first"
    return [_renamed(file, provider, new) for file in files]


def _renamed(file: ConfigFile, provider: str, new: str) -> list[Edit]:
    table = file.providers.get(provider)
    keys = [Edit(span, spelled(new)) for span in table.id_spans] if table is not None else []
    values = [
        Edit(reference.span, quoted(new))
        for reference in file.references
        if reference.id == provider
    ]
    return [*keys, *values]


def links(file: ConfigFile) -> Iterator[tuple[Span, str]]:
    """The URLs in the providers' tables, without their quotes."""
    for table in file.providers.values():
        for path in (("base_url",), ("ratls_policy", "pccs_url"), ("model_catalog_url",)):
            value = table.table.get(*path)
            text = string_of(value)
            url = parse_url(text) if text is not None else ""
            # One with a fault may show another host than a browser would go to.
            if value is None or text is None or not isinstance(url, Url) or url.scheme != "https":
                continue
            span = Span(value.span.start + 1, value.span.end - 1)
            if span.of(file.text) == text:  # spelled without escapes
                yield span, text
