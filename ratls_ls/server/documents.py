"""The client's open documents.

Their messages come as plain JSON, for they are those of every keystroke.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from ratls_ls.lsp.changes import changed

from .server import Server

if TYPE_CHECKING:
    from ratls_ls.session import Session


def register(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(ls: Server, params: Any) -> Coroutine[Any, Any, None] | None:
        document = params["textDocument"]
        text = changed(None, [document], ls.encoding)
        return _take(ls.session, ls.session.open, _uri(document), text, _version(document))

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(ls: Server, params: Any) -> Coroutine[Any, Any, None] | None:
        document = params["textDocument"]
        uri, version = _uri(document), _version(document)
        text = changed(ls.session.index(uri), params["contentChanges"], ls.encoding)
        return _take(ls.session, ls.session.change, uri, text, version)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(ls: Server, params: Any) -> None:
        ls.session.save(_uri(params["textDocument"]))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(ls: Server, params: Any) -> None:
        ls.session.close(_uri(params["textDocument"]))


def _take(
    session: Session, take: Callable[[str, str, int], None], uri: str, text: str, version: int
) -> Coroutine[Any, Any, None] | None:
    """Give a text to the session: at once, or when a thread has read it, if that takes long."""
    reading = session.read_ahead(uri, text)
    if reading is None:
        take(uri, text, version)
        return None

    async def read_first() -> None:
        await reading
        take(uri, text, version)

    return read_first()


def _uri(document: Any) -> str:
    uri = document["uri"]
    if not isinstance(uri, str):
        raise TypeError("a URI is no string")
    return uri


def _version(document: Any) -> int:
    version = document["version"]
    if not isinstance(version, int):
        raise TypeError("a version is no number")
    return version
