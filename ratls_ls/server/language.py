"""What helps while typing: completion, hover, and the defaults in force.

Invariant: a document that is not served gets nothing, whatever is asked of it.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from ratls_ls.config.span import Span
from ratls_ls.language.complete import Item, ItemKind, complete
from ratls_ls.language.explain import explain
from ratls_ls.language.hover import hover
from ratls_ls.language.inlays import inlays
from ratls_ls.lsp.position import PositionParams
from ratls_ls.session import OpenFile

from .server import Server

_ITEM_KINDS = {
    ItemKind.KEY: types.CompletionItemKind.Property.value,
    ItemKind.VALUE: types.CompletionItemKind.Value.value,
    ItemKind.PROVIDER: types.CompletionItemKind.Module.value,
    ItemKind.SNIPPET: types.CompletionItemKind.Snippet.value,
}
_SNIPPET = types.InsertTextFormat.Snippet.value


def completion(ls: Server, params: PositionParams) -> Any:
    def items(entry: OpenFile) -> list[dict[str, Any]]:
        found = complete(
            entry.file,
            entry.index.offset(params.line, params.character, ls.encoding),
            ls.session.measured,
            snippets=ls.shows_snippets,
            base=ls.session.base(entry),
        )
        spans = {item.span for item in found}
        ranges = {span: entry.index.range(span, ls.encoding) for span in spans}
        return [_item(item, index, ranges[item.span]) for index, item in enumerate(found)]

    nothing: list[dict[str, Any]] = []
    return {"isIncomplete": False, "items": ls.served(params.uri, items, nothing)}


def resolve_item(_ls: Server, item: types.CompletionItem) -> types.CompletionItem:
    about = explain(item.data) if isinstance(item.data, str) else ""
    if about:
        item.documentation = types.MarkupContent(types.MarkupKind.Markdown, about)
    return item


def show_hover(ls: Server, params: PositionParams) -> Any:
    def shown(entry: OpenFile) -> dict[str, Any] | None:
        offset = entry.index.offset(params.line, params.character, ls.encoding)
        found = hover(entry.file, offset, ls.session.status, ls.session.base(entry))
        if found is None:
            return None
        kind, text = types.MarkupKind.Markdown, found.text
        if not ls.shows_markdown:
            kind, text = types.MarkupKind.PlainText, found.plain
        contents = {"kind": kind.value, "value": text}
        return {"contents": contents, "range": entry.index.range(found.span, ls.encoding)}

    return ls.served(params.uri, shown, None)


def inlay_hints(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
    def hints(entry: OpenFile) -> list[types.InlayHint]:
        converter = ls.converter(entry)
        return [
            types.InlayHint(
                position=converter.range(Span(hint.offset, hint.offset)).start,
                label=hint.text,
                padding_left=True,
                tooltip=hint.why,
            )
            for hint in inlays(entry.file, converter.span(params.range))
        ]

    return ls.served(params.text_document.uri, hints, [])


def _item(item: Item, index: int, place: Any) -> dict[str, Any]:
    shape = {
        "label": item.label,
        "kind": _ITEM_KINDS[item.kind],
        "sortText": f"{index:03}",
        "textEdit": {"range": place, "newText": item.new_text},
    }
    if item.detail:
        shape["detail"] = item.detail
    if item.snippet:
        shape["insertTextFormat"] = _SNIPPET
    if item.topic:
        shape["data"] = item.topic
    return shape
