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
    def did_open(ls: Server, params: Any) -> None:
        document = params["textDocument"]
        text = changed(None, [document], ls.encoding)
        ls.session.open(_uri(document), text, _version(document))

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(ls: Server, params: Any) -> None:
        document = params["textDocument"]
        uri, version = _uri(document), _version(document)
        index = ls.session.index(uri)
        ls.session.change(uri, changed(index, params["contentChanges"], ls.encoding), version)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(ls: Server, params: Any) -> None:
        ls.session.save(_uri(params["textDocument"]))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(ls: Server, params: Any) -> None:
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
