"""Answers in every shape a client must bear, under /v1/test/…

| path | answer |
|---|---|
| `echo` | what was received: method, target, headers, body |
| `bytes?count=N` | N bytes of every value, with Content-Length |
| `chunks?count=N` | N chunks of text |
| `events?count=N` | N server-sent events with ids, then `[DONE]` |
| `held-events` | one event at once, the next when the test lets it go, then `[DONE]` |
| `status?code=N` | that status, with a small JSON body |
| `empty` | 204 |
| `cut` | half of a body with Content-Length, then the end of TCP |
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from .http import Request, Response, Wire
from .openai import EVENT_STREAM, event, json_response

PREFIX = "/v1/test/"
_BINARY = [("Content-Type", "application/octet-stream")]


def respond(request: Request, gate: asyncio.Event) -> Response | None:
    """The sample at this path; None if there is none. `gate`: lets held answers go."""
    count = int(request.query.get("count", "3"))
    match request.path.removeprefix(PREFIX):
        case "echo":
            return json_response(
                {
                    "method": request.method,
                    "target": request.target,
                    "headers": request.headers,
                    "body": request.body.decode("utf-8", "replace"),
                }
            )
        case "bytes":
            return Response(200, list(_BINARY), (bytes(range(256)) * (count // 256 + 1))[:count])
        case "chunks":
            return Response(200, [("Content-Type", "text/plain")], _chunks(count))
        case "events":
            return Response(200, list(EVENT_STREAM), _events(count))
        case "held-events":
            return Response(200, list(EVENT_STREAM), _held_events(gate))
        case "status":
            return json_response({"status": request.query["code"]}, int(request.query["code"]))
        case "empty":
            return Response(204)
        case "cut":
            return Response(200, list(_BINARY), bytes(1024), deliver=cut_in_half)
    return None


async def cut_in_half(wire: Wire) -> None:
    """Half of the answer, then the end of TCP."""
    whole = await wire.whole()
    await wire.send(whole[: len(whole) // 2])
    await wire.cut()


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for index in range(count):
        yield f"chunk {index}\n".encode()


async def _events(count: int) -> AsyncIterator[bytes]:
    for index in range(count):
        yield f"id: {index}\n".encode() + event({"index": index}, "sample")
    yield b"data: [DONE]\n\n"


async def _held_events(gate: asyncio.Event) -> AsyncIterator[bytes]:
    yield event({"index": 0})
    await gate.wait()
    yield event({"index": 1})
    yield b"data: [DONE]\n\n"
