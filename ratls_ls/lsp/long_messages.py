"""A client's long message, read over many turns of the event loop.

Invariant: it means what it would if it were short. The body of a request is looked through but not
taken apart: JSON goes on as it came, half surrogate pairs included, which a short one must not say.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ratls_ls.turns import finished, paced

from .methods import ATTESTED_REQUEST, BodyKind, LongBody, from_base64, invalid_params, unreadable

if TYPE_CHECKING:
    from .json_text import Members

LONG_BYTES = 256 * 1024
_METHOD = json.dumps(ATTESTED_REQUEST).encode()
_PARAMS = b'"params"'
_BODIES = frozenset(BodyKind)


@dataclass(frozen=True, slots=True)
class Unread:
    """A value that is JSON, and was looked through only."""

    text: memoryview = field(repr=False)


async def parse(text: bytes | bytearray) -> Any:
    """What `json.loads` makes of `text`, but for a long body of a request, which is Unread.

    Raises ValueError or RecursionError.
    """
    if len(text) > LONG_BYTES and _METHOD in text:
        from . import json_text  # at the start nothing of it is needed

        try:
            found = await finished(json_text.check(text, levels=2))
        except ValueError:
            found = {}  # whatever is wrong, the usual way has words for it
        method, params = found.get((b'"method"',)), found.get((_PARAMS,))
        if method and params and text[method] == _METHOD and text.startswith(b"{", params.start):
            return _request(memoryview(text), found)
    return json.loads(text)


def _request(text: memoryview, found: Members) -> dict[str, Any]:
    message: dict[str, Any] = {}
    params: dict[str, Any] = {}
    for path, where in found.items():
        *around, key = map(json.loads, path)
        if around == ["params"]:
            is_left = key in _BODIES and where.stop - where.start > LONG_BYTES
            params[key] = Unread(text[where]) if is_left else json.loads(bytes(text[where]))
        elif not around and key != "params":
            message[key] = json.loads(bytes(text[where]))
    return {**message, "params": params}


async def read_body(params: object) -> object:
    """`params` of a request, whose body is read. Raises MethodError (-32602)."""
    if not isinstance(params, dict):
        return params
    given = [kind for kind in BodyKind if params.get(kind) is not None]
    if len(given) != 1 or not isinstance(params[given[0]], Unread):
        return params
    return {**params, given[0]: await _read(given[0], params[given[0]].text)}


async def _read(kind: BodyKind, text: memoryview) -> LongBody:
    if kind is BodyKind.VALUE:
        return LongBody((text,))
    if text[0] != ord('"'):
        raise invalid_params(kind, "must be a string")
    from . import json_text

    said = paced(json_text.unquoted(text))
    try:
        pieces = said if kind is BodyKind.TEXT else _decoded(said)
        return LongBody([piece async for piece in pieces])
    except (UnicodeError, binascii.Error):
        raise unreadable(kind) from None


async def _decoded(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """From base64. Raises binascii.Error."""
    left, padded = b"", False
    async for piece in pieces:
        if padded and piece:
            raise binascii.Error("more after its end")
        left += piece
        whole = len(left) // 4 * 4
        padded = left[:whole].endswith(b"=")
        yield from_base64(left[:whole])
        left = left[whole:]
    yield from_base64(left)
