"""Where in a document a client asks about.

Not among the other parameters, which are loaded later.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class PositionParams(NamedTuple):
    """Parameters of a request about a place in a document (LSP: TextDocumentPositionParams)."""

    uri: str
    line: int
    character: int

    @classmethod
    def parse(cls, params: Any) -> PositionParams:
        """Raises KeyError or TypeError."""
        uri, position = params["textDocument"]["uri"], params["position"]
        line, character = position["line"], position["character"]
        if type(uri) is not str or type(line) is not int or type(character) is not int:
            raise TypeError("not the parameters of a place in a document")
        return cls(uri, line, character)
