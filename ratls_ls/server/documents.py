"""The client's open documents.

Their messages come as plain JSON, for they are those of every keystroke.
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from ratls_ls.lsp.changes import changed

from .server import Server


def register(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def did_open(ls: Server, params: Any) -> None:
        document = params["textDocument"]
        text = changed(None, [document], ls.encoding)
        uri, version = _uri(document), _version(document)
        await ls.session.read_ahead(uri, text)
        ls.session.open(uri, text, version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(ls: Server, params: Any) -> None:
        document = params["textDocument"]
        uri, version = _uri(document), _version(document)
        text = changed(ls.session.index(uri), params["contentChanges"], ls.encoding)
        await ls.session.read_ahead(uri, text)
        ls.session.change(uri, text, version)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def did_save(ls: Server, params: Any) -> None:
        ls.session.save(_uri(params["textDocument"]))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def did_close(ls: Server, params: Any) -> None:
        ls.session.close(_uri(params["textDocument"]))


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
