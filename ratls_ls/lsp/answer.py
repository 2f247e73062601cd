"""A response as the JSON shapes of `attestedRequest`: collected whole, or part by part.

Invariant: parts come in order and bounded; nothing of a body is kept once it was handed over. What
is collected becomes JSON over many turns of the event loop, and is never taken apart: a body that
is JSON goes on as it came.
"""

from __future__ import annotations

import base64
import codecs
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from lsprotocol import types

from ratls_ls.atls.client import AttestedResponse
from ratls_ls.atls.errors import BrokenResponseError
from ratls_ls.atls.sse import ServerSentEvent, SseDecoder, SseError
from ratls_ls.turns import paced, rest

from . import json_text
from .result import Answer, Body
from .writer import compact

# A larger answer would hold up the editor's other messages while it is one of them.
MAX_COLLECTED_BYTES = 16 * 1024 * 1024
LONG_CHARACTERS = 64 * 1024


def head(response: AttestedResponse, provider: str) -> dict[str, Any]:
    """The first part of a streamed answer."""
    return {
        "kind": "head",
        "status": response.status,
        "headers": [list(header) for header in response.headers],
        "attestation": response.attestation.result.to_json(provider),
    }


async def parts(response: AttestedResponse) -> AsyncIterator[dict[str, Any]]:
    """The body: events of an event stream, else chunks. Raises BrokenResponseError."""
    if _media_type(response) == "text/event-stream":
        stream = _events(response)
    elif _is_text(response):
        stream = _text(response)
    else:
        stream = _binary(response)
    async for part in stream:
        yield part


async def collect(response: AttestedResponse) -> Body | None:
    """The body of a whole answer; None if it is empty. Raises BrokenResponseError."""
    body = bytearray()
    async for chunk in response.chunks():
        body += chunk
        if len(body) > MAX_COLLECTED_BYTES:
            message = f"more than {MAX_COLLECTED_BYTES} bytes; stream with partialResultToken"
            raise BrokenResponseError(message, response.received)
    if not body:
        return None
    # What is said to be JSON, or text, and is not, is handed over as it is.
    if _is_json(response):
        value = body[len(codecs.BOM_UTF8) :] if body.startswith(codecs.BOM_UTF8) else body
        with suppress(ValueError):
            async for _ in paced(json_text.check(value)):
                pass
            return Body("body", [value])
    if _is_text(response):
        with suppress(UnicodeDecodeError):
            return Body("bodyText", [piece async for piece in paced(json_text.quoted(body))])
    return Body("bodyBase64", [piece async for piece in paced(json_text.quoted_base64(body))])


async def _events(response: AttestedResponse) -> AsyncIterator[dict[str, Any]]:
    decoder = SseDecoder()
    try:
        async for chunk in response.chunks():
            for event in decoder.feed(chunk):
                yield _event(event)
                await rest()
    except SseError as error:
        raise BrokenResponseError(str(error), response.received) from error
    if decoder.pending:
        raise BrokenResponseError("the event stream ended inside of an event", response.received)


def is_long(part: dict[str, Any]) -> bool:
    """Whether it is an event that takes long to write."""
    return len(part.get("data", "")) > LONG_CHARACTERS


async def long_progress(token: int | str, part: dict[str, Any]) -> list[bytes | bytearray]:
    """The `$/progress` with such an event, in pieces that are made over many turns."""
    about = {name: value for name, value in part.items() if name != "data"}
    text = part["data"].encode()
    data = Body("data", [piece async for piece in paced(json_text.quoted(text))])
    head = compact({"jsonrpc": "2.0", "method": types.PROGRESS, "params": {"token": token}})
    return [head[:-2].encode(), b',"value":', *Answer(about, data).json(), b"}}"]


def _event(event: ServerSentEvent) -> dict[str, Any]:
    return {"kind": "event", "event": event.event, "data": event.data, "id": event.id}


async def _text(response: AttestedResponse) -> AsyncIterator[dict[str, Any]]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    async for chunk in response.chunks():
        if text := decoder.decode(chunk):
            yield {"kind": "chunk", "text": text}
    if text := decoder.decode(b"", final=True):
        yield {"kind": "chunk", "text": text}


async def _binary(response: AttestedResponse) -> AsyncIterator[dict[str, Any]]:
    async for chunk in response.chunks():
        yield {"kind": "chunk", "base64": base64.b64encode(chunk).decode("ascii")}


def _media_type(response: AttestedResponse) -> str:
    return response.header("content-type").partition(";")[0].strip().lower()


def _is_json(response: AttestedResponse) -> bool:
    return _plain(response) and (
        _media_type(response) == "application/json" or _media_type(response).endswith("+json")
    )


def _is_text(response: AttestedResponse) -> bool:
    return _plain(response) and (_media_type(response).startswith("text/") or _is_json(response))


def _plain(response: AttestedResponse) -> bool:
    """Not encoded; an encoding was not asked for, so its bytes are handed over as they are."""
    return response.header("content-encoding") in ("", "identity")
