"""What an editor shows beside the text: completion, hover, actions, lenses, hints, symbols.

Invariant: a document that is not served gets nothing, whatever is asked of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from ratls_ls.config.span import Span
from ratls_ls.language import actions, symbols
from ratls_ls.language.complete import Item, ItemKind, complete
from ratls_ls.language.hover import hover
from ratls_ls.language.inlays import inlays
from ratls_ls.language.lenses import Action, lenses
from ratls_ls.lsp import methods
from ratls_ls.lsp.convert import Converter
from ratls_ls.session import OpenFile

from .server import Server

FIX_ALL = "source.fixAll.ratls"
_COMMANDS = {Action.ATTEST: methods.ATTEST_COMMAND, Action.PIN: methods.PIN_MEASUREMENTS_COMMAND}
_ITEM_KINDS = {
    ItemKind.KEY: types.CompletionItemKind.Property,
    ItemKind.VALUE: types.CompletionItemKind.Value,
    ItemKind.PROVIDER: types.CompletionItemKind.Module,
    ItemKind.SNIPPET: types.CompletionItemKind.Snippet,
}
_T = TypeVar("_T")


def register(server: Server) -> None:
    _register_typing(server)
    _register_actions(server)
    _register_navigation(server)


def _register_typing(server: Server) -> None:
    options = types.CompletionOptions(trigger_characters=["=", '"', "[", ".", ",", " "])

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, options)
    def completion(ls: Server, params: types.CompletionParams) -> types.CompletionList:
        def items(entry: OpenFile, converter: Converter) -> list[types.CompletionItem]:
            offset = converter.offset(params.position)
            found = complete(entry.file, offset, ls.session.status, snippets=_snippets(ls))
            return [_item(item, index, converter) for index, item in enumerate(found)]

        nothing: list[types.CompletionItem] = []
        found = _served(ls, params.text_document.uri, items, nothing)
        return types.CompletionList(is_incomplete=False, items=found)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def show_hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
        def shown(entry: OpenFile, converter: Converter) -> types.Hover | None:
            found = hover(entry.file, converter.offset(params.position), ls.session.status)
            if found is None:
                return None
            kind, text = types.MarkupKind.Markdown, found.text
            if not _markdown(ls):
                kind, text = types.MarkupKind.PlainText, found.plain
            return types.Hover(types.MarkupContent(kind, text), converter.range(found.span))

        return _served(ls, params.text_document.uri, shown, None)

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def inlay_hints(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
        def hints(entry: OpenFile, converter: Converter) -> list[types.InlayHint]:
            found = inlays(entry.file, _span(converter, params.range))
            return [
                types.InlayHint(
                    position=converter.range(Span(hint.offset, hint.offset)).start,
                    label=hint.text,
                    padding_left=True,
                    tooltip="in force, since the policy does not say otherwise",
                )
                for hint in found
            ]

        return _served(ls, params.text_document.uri, hints, [])


def _register_actions(server: Server) -> None:
    kinds = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL])

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    def code_actions(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        def made(entry: OpenFile, converter: Converter) -> list[types.CodeAction]:
            span, only = _span(converter, params.range), params.context.only
            found: list[types.CodeAction] = []
            if _wanted(types.CodeActionKind.QuickFix, only):
                for fix in actions.quick_fixes(entry.problems, span):
                    found.append(_action(fix, types.CodeActionKind.QuickFix, entry, converter))
                for own in actions.provider_actions(entry.file, span, ls.session.status):
                    found.append(_action(own, types.CodeActionKind.QuickFix, entry, converter))
            # Costs a reading of the whole text, so only where it is asked for.
            if only and _wanted(FIX_ALL, only):
                everything = actions.fix_everything(entry.file)
                if everything is not None:
                    found.append(_action(everything, FIX_ALL, entry, converter))
            return found

        return _served(ls, params.text_document.uri, made, [])

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def code_lenses(ls: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
        def shown(entry: OpenFile, converter: Converter) -> list[types.CodeLens]:
            return [
                types.CodeLens(
                    converter.range(lens.span),
                    _command(lens.title, lens.action, entry.uri, lens.provider),
                )
                for lens in lenses(entry.file, ls.session.status)
            ]

        return _served(ls, params.text_document.uri, shown, [])


def _register_navigation(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outline(ls: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        def shown(entry: OpenFile, converter: Converter) -> list[types.DocumentSymbol]:
            return [_symbol(symbol, converter) for symbol in symbols.outline(entry.file)]

        return _served(ls, params.text_document.uri, shown, [])

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(ls: Server, params: types.DefinitionParams) -> list[types.Location]:
        return _locations(ls, params, lambda entry, name: symbols.definitions(entry.file, name))

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
        declaration = params.context.include_declaration
        return _locations(
            ls,
            params,
            lambda entry, name: symbols.references(entry.file, name, declaration=declaration),
        )

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(
        ls: Server, params: types.PrepareRenameParams
    ) -> types.PrepareRenamePlaceholder | None:
        def found(entry: OpenFile, converter: Converter) -> types.PrepareRenamePlaceholder | None:
            there = symbols.provider_at(entry.file, converter.offset(params.position))
            if there is None:
                return None
            name, span = there
            return types.PrepareRenamePlaceholder(converter.range(span), name)

        return _served(ls, params.text_document.uri, found, None)

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
        def made(entry: OpenFile, converter: Converter) -> types.WorkspaceEdit | None:
            there = symbols.provider_at(entry.file, converter.offset(params.position))
            if there is None:
                return None
            edits = symbols.rename(entry.file, there[0], params.new_name)
            if isinstance(edits, str):
                raise JsonRpcException(edits, methods.INVALID_PARAMS)
            return converter.workspace_edit(entry.version, edits)

        return _served(ls, params.text_document.uri, made, None)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_LINK)
    def document_links(ls: Server, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
        def found(entry: OpenFile, converter: Converter) -> list[types.DocumentLink]:
            return [
                types.DocumentLink(converter.range(span), target=url)
                for span, url in symbols.links(entry.file)
            ]

        return _served(ls, params.text_document.uri, found, [])


def _served(ls: Server, uri: str, answer: Callable[[OpenFile, Converter], _T], nothing: _T) -> _T:
    """What `answer` gives for the open config `uri`; `nothing` for any other document."""
    entry = ls.session.file(uri)
    return nothing if entry is None else answer(entry, ls.converter(entry))


def _locations(
    ls: Server,
    params: types.DefinitionParams | types.ReferenceParams,
    spans: Callable[[OpenFile, str], list[Span]],
) -> list[types.Location]:
    def found(entry: OpenFile, converter: Converter) -> list[types.Location]:
        there = symbols.provider_at(entry.file, converter.offset(params.position))
        if there is None:
            return []
        return [types.Location(entry.uri, converter.range(span)) for span in spans(entry, there[0])]

    return _served(ls, params.text_document.uri, found, [])


def _span(converter: Converter, found: types.Range) -> Span:
    return Span(converter.offset(found.start), converter.offset(found.end))


def _snippets(ls: Server) -> bool:
    document = ls.client_capabilities.text_document
    item = document.completion.completion_item if document and document.completion else None
    return item is not None and item.snippet_support is True


def _markdown(ls: Server) -> bool:
    document = ls.client_capabilities.text_document
    formats = document.hover.content_format if document and document.hover else None
    return formats is not None and types.MarkupKind.Markdown in formats


def _item(item: Item, index: int, converter: Converter) -> types.CompletionItem:
    about = types.MarkupContent(types.MarkupKind.Markdown, item.documentation)
    return types.CompletionItem(
        label=item.label,
        kind=_ITEM_KINDS[item.kind],
        detail=item.detail or None,
        documentation=about if item.documentation else None,
        # In the order of the model, which is that of importance.
        sort_text=f"{index:03}",
        # Always: Neovim takes what has none for filtered already.
        filter_text=item.new_text if item.new_text[:1] in "\"'" else item.label,
        insert_text_format=(
            types.InsertTextFormat.Snippet if item.snippet else types.InsertTextFormat.PlainText
        ),
        text_edit=types.TextEdit(converter.range(item.span), item.new_text),
    )


def _wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Kinds are hierarchical: "source" asks for "source.fixAll.ratls", too."""
    return not only or any(kind == asked or kind.startswith(f"{asked}.") for asked in only)


def _action(
    action: actions.CodeAction, kind: str, entry: OpenFile, converter: Converter
) -> types.CodeAction:
    made = types.CodeAction(action.title, kind=kind, is_preferred=action.preferred or None)
    if action.problem is not None:
        made.diagnostics = [converter.problem(action.problem)]
    if action.edits:
        made.edit = converter.workspace_edit(entry.version, action.edits)
    if action.provider is not None:
        made.command = _command(action.title, action.action, entry.uri, action.provider)
    return made


def _command(title: str, action: Action | None, uri: str, provider: str) -> types.Command:
    if action is None:
        return types.Command(title, "")
    return types.Command(title, _COMMANDS[action], arguments=[uri, provider])


def _symbol(symbol: symbols.Symbol, converter: Converter) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        symbol.name,
        types.SymbolKind.Module if symbol.detail else types.SymbolKind.Property,
        converter.range(symbol.span),
        converter.range(symbol.name_span),
        detail=symbol.detail or None,
        children=[_symbol(child, converter) for child in symbol.children],
    )
