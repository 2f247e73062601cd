"""What can be done: fixes, pins and attestations, by code action and by lens.

Invariant: an edit is for one version of its document, so none is made in a text it was not for.
"""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from ratls_ls.config.words import printable
from ratls_ls.language import actions
from ratls_ls.language.actions import CodeAction
from ratls_ls.language.lenses import Action, lenses
from ratls_ls.lsp import methods
from ratls_ls.lsp.convert import Converter
from ratls_ls.session import OpenFile

from .features import FIX_ALL
from .server import Server

_COMMANDS = {Action.ATTEST: methods.ATTEST_COMMAND, Action.PIN: methods.PIN_MEASUREMENTS_COMMAND}


def code_actions(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    def made(entry: OpenFile) -> list[types.CodeAction]:
        converter = ls.converter(entry)
        span, only = converter.span(params.range), params.context.only
        found: list[types.CodeAction] = []
        if _wanted(types.CodeActionKind.QuickFix, only):
            own = actions.provider_actions(entry.file, span, ls.session.status)
            for action in (*actions.quick_fixes(entry.problems, span), *own):
                found.append(_action(action, entry, converter))
        # Not asked for, it is worth its line beside the fix of one of several.
        asked = None if only else span
        can_fix = actions.can_fix_everything(entry.file, entry.problems, asked)
        if _wanted(FIX_ALL, only) and can_fix:
            everything = types.CodeAction(
                actions.FIX_EVERYTHING, kind=FIX_ALL, data={"uri": entry.uri}
            )
            lazily = ls.resolves_edits
            found.append(everything if lazily else _resolved(everything, entry, converter))
        return found

    return ls.served(params.text_document.uri, made, [])


def resolve_action(ls: Server, action: types.CodeAction) -> types.CodeAction:
    uri = action.data.get("uri") if isinstance(action.data, dict) else None
    if action.kind != FIX_ALL or not isinstance(uri, str):
        return action
    return ls.served(uri, lambda entry: _resolved(action, entry, ls.converter(entry)), action)


def code_lenses(ls: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
    def shown(entry: OpenFile) -> list[types.CodeLens]:
        converter = ls.converter(entry)
        return [
            types.CodeLens(
                converter.range(lens.span),
                _command(lens.title, lens.action, entry.uri, lens.provider),
            )
            for lens in lenses(entry.file, ls.session.status)
        ]

    return ls.served(params.text_document.uri, shown, [])


def _resolved(action: types.CodeAction, entry: OpenFile, converter: Converter) -> types.CodeAction:
    edits = actions.fix_everything(entry.file, entry.context)
    action.edit = converter.workspace_edit(entry.version, edits)
    return action


def _wanted(kind: str, only: Sequence[str] | None) -> bool:
    """Kinds are hierarchical: "source" asks for "source.fixAll.ratls", too."""
    return not only or any(kind == asked or kind.startswith(f"{asked}.") for asked in only)


def _action(action: CodeAction, entry: OpenFile, converter: Converter) -> types.CodeAction:
    made = types.CodeAction(
        printable(action.title),
        kind=types.CodeActionKind.QuickFix,
        is_preferred=action.preferred or None,
    )
    if action.problem is not None:
        made.diagnostics = [converter.problem(action.problem)]
    if action.edits:
        made.edit = converter.workspace_edit(entry.version, action.edits)
    if action.provider is not None:
        made.command = _command(action.title, action.action, entry.uri, action.provider)
    return made


def _command(title: str, action: Action | None, uri: str, provider: str) -> types.Command:
    title = printable(title)
    if action is None:
        return types.Command(title, "")
    return types.Command(title, _COMMANDS[action], arguments=[uri, provider])
