"""A response as the JSON shapes of `attestedRequest`: collected whole, or part by part.

Invariant: parts come in order and bounded; nothing of a body is kept once it was handed over.
"""

from __future__ import annotations

import base64
import codecs
import json
import math
from collections.abc import AsyncIterator
from typing import Any, NoReturn

from ratls_ls.atls.client import AttestedResponse
from ratls_ls.atls.errors import BrokenResponseError
from ratls_ls.atls.sse import ServerSentEvent, SseDecoder, SseError

# A larger answer would hold up the editor's other messages while it is one JSON value.
MAX_COLLECTED_BYTES = 16 * 1024 * 1024
MAX_JSON_DEPTH = 200


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


async def collect(response: AttestedResponse) -> dict[str, Any]:
    """`body`, `bodyText` or `bodyBase64` of a whole answer. Raises BrokenResponseError."""
    body = bytearray()
    async for chunk in response.chunks():
        body += chunk
        if len(body) > MAX_COLLECTED_BYTES:
            message = f"more than {MAX_COLLECTED_BYTES} bytes; stream with partialResultToken"
            raise BrokenResponseError(message, response.received)
    if not body:
        return {}
    if _is_json(response):
        try:
            return {"body": _json_value(body)}
        except (ValueError, RecursionError):
            pass  # said to be JSON and is not: handed over as it is
    if _is_text(response):
        try:
            return {"bodyText": body.decode("utf-8")}
        except UnicodeDecodeError:
            pass
    return {"bodyBase64": base64.b64encode(body).decode("ascii")}


def _json_value(body: bytearray) -> Any:
    """A value that the client's message can hold. Raises ValueError or RecursionError."""
    value = json.loads(body, parse_constant=_refuse, parse_float=_finite)
    if body.count(b"[") + body.count(b"{") > MAX_JSON_DEPTH and _is_too_deep(value):
        raise ValueError("too deeply nested")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number beyond what JSON readers hold")
    return number


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


async def _events(response: AttestedResponse) -> AsyncIterator[dict[str, Any]]:
    decoder = SseDecoder()
    try:
        async for chunk in response.chunks():
            for event in decoder.feed(chunk):
                yield _event(event)
    except SseError as error:
        raise BrokenResponseError(str(error), response.received) from error
    if decoder.pending:
        raise BrokenResponseError("the event stream ended inside of an event", response.received)


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
