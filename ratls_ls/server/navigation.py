"""Where things stand: the outline, every place that names a provider, and its links.

Invariant: as everywhere here, a document that is not served gets nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from ratls_ls.config.span import Span
from ratls_ls.config.words import shown
from ratls_ls.language import symbols
from ratls_ls.lsp import methods
from ratls_ls.lsp.convert import Converter, together
from ratls_ls.session import OpenFile

from .server import Server


def outline(ls: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    def made(entry: OpenFile) -> list[types.DocumentSymbol]:
        converter = ls.converter(entry)
        return [symbol_of(symbol, converter) for symbol in symbols.outline(entry.file)]

    return ls.served(params.text_document.uri, made, [])


def definition(ls: Server, params: types.DefinitionParams) -> list[types.Location]:
    return _locations(ls, params, lambda entry, name: symbols.definitions(entry.file, name))


def references(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
    declaration = params.context.include_declaration
    return _locations(
        ls,
        params,
        lambda entry, name: symbols.references(entry.file, name, declaration=declaration),
    )


def prepare_rename(
    ls: Server, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    def found(entry: OpenFile) -> types.PrepareRenamePlaceholder | None:
        converter = ls.converter(entry)
        there = symbols.provider_at(entry.file, converter.offset(params.position))
        if there is None:
            return None
        name, span = there
        return types.PrepareRenamePlaceholder(converter.range(span), name)

    return ls.served(params.text_document.uri, found, None)


def rename(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    def made(entry: OpenFile) -> types.WorkspaceEdit | None:
        converter = ls.converter(entry)
        there = symbols.provider_at(entry.file, converter.offset(params.position))
        if there is None:
            return None
        sharing = ls.session.sharing(entry, there[0])
        files = [shared.file for shared in sharing]
        edits = symbols.rename(files, there[0], params.new_name)
        if isinstance(edits, str):
            raise JsonRpcException(edits, methods.INVALID_PARAMS)
        return together(
            ls.converter(shared).workspace_edit(shared.version, own)
            for shared, own in zip(sharing, edits, strict=True)
            if own
        )

    return ls.served(params.text_document.uri, made, None)


def document_links(ls: Server, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
    def found(entry: OpenFile) -> list[types.DocumentLink]:
        converter = ls.converter(entry)
        return [
            types.DocumentLink(converter.range(span), target=url)
            for span, url in symbols.links(entry.file)
        ]

    return ls.served(params.text_document.uri, found, [])


def _locations(
    ls: Server,
    params: types.DefinitionParams | types.ReferenceParams,
    spans: Callable[[OpenFile, str], list[Span]],
) -> list[types.Location]:
    def found(entry: OpenFile) -> list[types.Location]:
        converter = ls.converter(entry)
        there = symbols.provider_at(entry.file, converter.offset(params.position))
        if there is None:
            return []
        name, _ = there
        return [
            types.Location(shared.uri, ls.converter(shared).range(span))
            for shared in ls.session.sharing(entry, name)
            for span in spans(shared, name)
        ]

    return ls.served(params.text_document.uri, found, [])


def symbol_of(symbol: symbols.Symbol, converter: Converter) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        shown(symbol.name) or '""',  # LSP has no symbol without a name
        types.SymbolKind.Module if symbol.detail else types.SymbolKind.Property,
        converter.range(symbol.span),
        converter.range(symbol.name_span),
        detail=symbol.detail or None,
        children=[symbol_of(child, converter) for child in symbol.children],
    )
