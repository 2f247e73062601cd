"""What the server offers for a document, and the handler of each.

Invariant: a handler's module is loaded when the first request for it comes, so the answer to
`initialize` waits for none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from lsprotocol import types

from .server import Server

FIX_ALL = "source.fixAll.ratls"
# Method, module, handler, and what the client is told beside that there is one.
FEATURES: tuple[tuple[str, str, str, object], ...] = (
    (
        types.TEXT_DOCUMENT_COMPLETION,
        "language",
        "completion",
        types.CompletionOptions(
            trigger_characters=["=", '"', "[", ".", ",", " "], resolve_provider=True
        ),
    ),
    (types.COMPLETION_ITEM_RESOLVE, "language", "resolve_item", None),
    (types.TEXT_DOCUMENT_HOVER, "language", "show_hover", None),
    (types.TEXT_DOCUMENT_INLAY_HINT, "language", "inlay_hints", None),
    (
        types.TEXT_DOCUMENT_CODE_ACTION,
        "actions",
        "code_actions",
        types.CodeActionOptions(
            code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL], resolve_provider=True
        ),
    ),
    (types.CODE_ACTION_RESOLVE, "actions", "resolve_action", None),
    (types.TEXT_DOCUMENT_CODE_LENS, "actions", "code_lenses", None),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, "navigation", "outline", None),
    (types.TEXT_DOCUMENT_DEFINITION, "navigation", "definition", None),
    (types.TEXT_DOCUMENT_REFERENCES, "navigation", "references", None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, "navigation", "prepare_rename", None),
    (
        types.TEXT_DOCUMENT_RENAME,
        "navigation",
        "rename",
        types.RenameOptions(prepare_provider=True),
    ),
    (types.TEXT_DOCUMENT_DOCUMENT_LINK, "navigation", "document_links", None),
)


def register(server: Server) -> None:
    for method, module, handler, options in FEATURES:
        server.feature(method, options)(_loaded_first(module, handler))


def _loaded_first(module: str, handler: str) -> Callable[[Server, Any], Any]:
    @cache
    def loaded() -> Callable[[Server, Any], Any]:
        found: Callable[[Server, Any], Any] = getattr(
            import_module(f".{module}", __package__), handler
        )
        return found

    def answer(ls: Server, params: Any) -> Any:
        return loaded()(ls, params)

    return answer
