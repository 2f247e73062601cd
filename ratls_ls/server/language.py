"""What helps while typing: completion, hover, and the defaults in force.

Invariant: a document that is not served gets nothing, whatever is asked of it.
"""

from __future__ import annotations

from lsprotocol import types

from ratls_ls.config.span import Span
from ratls_ls.language.complete import Item, ItemKind, complete
from ratls_ls.language.explain import explain
from ratls_ls.language.hover import hover
from ratls_ls.language.inlays import inlays
from ratls_ls.lsp.convert import Converter
from ratls_ls.session import OpenFile

from .server import Server

_ITEM_KINDS = {
    ItemKind.KEY: types.CompletionItemKind.Property,
    ItemKind.VALUE: types.CompletionItemKind.Value,
    ItemKind.PROVIDER: types.CompletionItemKind.Module,
    ItemKind.SNIPPET: types.CompletionItemKind.Snippet,
}


def completion(ls: Server, params: types.CompletionParams) -> types.CompletionList:
    def items(entry: OpenFile, converter: Converter) -> list[types.CompletionItem]:
        offset = converter.offset(params.position)
        found = complete(
            entry.file,
            offset,
            ls.session.measured,
            snippets=ls.shows_snippets,
            base=ls.session.base(entry),
        )
        ranges = {span: converter.range(span) for span in {item.span for item in found}}
        return [_item(item, index, ranges[item.span]) for index, item in enumerate(found)]

    nothing: list[types.CompletionItem] = []
    found = ls.served(params.text_document.uri, items, nothing)
    return types.CompletionList(is_incomplete=False, items=found)


def resolve_item(_ls: Server, item: types.CompletionItem) -> types.CompletionItem:
    about = explain(item.data) if isinstance(item.data, str) else ""
    if about:
        item.documentation = types.MarkupContent(types.MarkupKind.Markdown, about)
    return item


def show_hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    def shown(entry: OpenFile, converter: Converter) -> types.Hover | None:
        offset, base = converter.offset(params.position), ls.session.base(entry)
        found = hover(entry.file, offset, ls.session.status, base)
        if found is None:
            return None
        kind, text = types.MarkupKind.Markdown, found.text
        if not ls.shows_markdown:
            kind, text = types.MarkupKind.PlainText, found.plain
        return types.Hover(types.MarkupContent(kind, text), converter.range(found.span))

    return ls.served(params.text_document.uri, shown, None)


def inlay_hints(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
    def hints(entry: OpenFile, converter: Converter) -> list[types.InlayHint]:
        return [
            types.InlayHint(
                position=converter.range(Span(hint.offset, hint.offset)).start,
                label=hint.text,
                padding_left=True,
                tooltip="in force, since the policy does not say otherwise",
            )
            for hint in inlays(entry.file, converter.span(params.range))
        ]

    return ls.served(params.text_document.uri, hints, [])


def _item(item: Item, index: int, place: types.Range) -> types.CompletionItem:
    return types.CompletionItem(
        label=item.label,
        kind=_ITEM_KINDS[item.kind],
        detail=item.detail or None,
        # In the order of the model, which is that of importance.
        sort_text=f"{index:03}",
        # Always: Neovim takes what has none for filtered already.
        filter_text=item.new_text if item.new_text[:1] in "\"'" else item.label,
        insert_text_format=types.InsertTextFormat.Snippet if item.snippet else None,
        text_edit=types.TextEdit(place, item.new_text),
        data=item.topic or None,
    )
