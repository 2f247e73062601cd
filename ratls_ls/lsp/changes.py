"""A text after what a client's `textDocument/didChange` says of it.

Invariant: a message that does not fit raises and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ratls_ls.config.span import LineIndex, PositionEncoding


def changed(index: LineIndex | None, changes: Iterable[Any], encoding: PositionEncoding) -> str:
    """The text of `index` (None: not known) after `changes`, each of which is a
    TextDocumentContentChangeEvent in plain JSON. Raises ValueError, TypeError or KeyError."""
    for change in changes:
        new_text = change["text"]
        if not isinstance(new_text, str):
            raise TypeError("a text is no string")
        if (place := change.get("range")) is not None:
            if index is None:
                raise ValueError("a part of a text that is not known changed")
            start = _offset(index, place["start"], encoding)
            end = max(start, _offset(index, place["end"], encoding))
            new_text = f"{index.text[:start]}{new_text}{index.text[end:]}"
        index = LineIndex(new_text)
    if index is None:
        raise ValueError("nothing changed a text that is not known")
    return index.text


def _offset(index: LineIndex, position: Any, encoding: PositionEncoding) -> int:
    line, character = position["line"], position["character"]
    if not isinstance(line, int) or not isinstance(character, int):
        raise TypeError("a position is no number")
    return index.offset(line, character, encoding)
