"""Messages between the client's byte stream and pygls, both ways.

Invariant: no framing, size or JSON of a client ends the server or its loop; stdout carries
protocol only. pygls's own reader dies of an absurd Content-Length and its writer blocks the event
loop; both are replaced through the seams that pygls publishes.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TypeGuard

from .garbage import Quiet
from .lifecycle import INVALID_REQUEST, Lifecycle
from .methods import INVALID_PARAMS
from .protocol import PlainNotification, Protocol
from .reader import FramingError, read_message, stream_of
from .writer import Writer

PARSE_ERROR = -32700

logger = logging.getLogger(__name__)


async def serve(descriptor: int, writer: Writer, protocol: Protocol) -> None:
    """Hand every message of the client to `protocol`, until its stream `descriptor` ends."""
    protocol.set_writer(writer)
    stream = stream_of(descriptor)

    def known(method: str) -> bool:
        features = protocol.fm
        # `$/…` is optional by definition, and cancelling is pygls's own.
        found = method in features.features or method in features.builtin_features
        return found or method.startswith("$/")

    lifecycle = Lifecycle(known, gone=stream.feed_eof)
    quiet = Quiet()
    try:
        while (item := await read_message(stream)) is not None:
            if isinstance(item, int):
                message = f"a message of {item} bytes is too large"
                _reply(writer, None, INVALID_REQUEST, message)
            else:
                await _handle(item, writer, protocol, lifecycle)
            quiet.ended()
            await asyncio.sleep(0)  # many messages at once keep nothing else waiting
    except FramingError as error:
        logger.error("the client's stream cannot be followed: %s", error)


async def _handle(body: bytes, writer: Writer, protocol: Protocol, lifecycle: Lifecycle) -> None:
    try:
        data = json.loads(body.decode())
    except (ValueError, RecursionError):
        _reply(writer, None, PARSE_ERROR, "the message is not JSON in UTF-8")
        return
    given = data.get("id") if isinstance(data, dict) else None
    identifier = given if _is_identifier(given) else None
    if not isinstance(data, dict) or data.get("jsonrpc") != "2.0":
        _reply(writer, identifier, INVALID_REQUEST, "not a JSON-RPC 2.0 message")
        return
    method = data.get("method")
    if isinstance(method, str) and "id" in data and identifier is None:
        _reply(writer, None, INVALID_REQUEST, "the id is neither a string nor an integer")
        return
    if isinstance(method, str) and (refusal := lifecycle.refusal(method)) is not None:
        if identifier is not None:
            _reply(writer, identifier, *refusal)
        return
    try:
        message = protocol.structure_message(data)
    except Exception:
        if identifier is not None:
            code = INVALID_PARAMS if isinstance(method, str) else INVALID_REQUEST
            _reply(writer, identifier, code, "the message does not fit its method")
        return
    if isinstance(method, str):
        lifecycle.passed(method, data.get("params"))
    try:
        if isinstance(message, PlainNotification):
            await protocol.notified(message)
        else:
            protocol.handle_message(message)
    except Exception as error:
        # pygls takes what is cancelled or answered at its word: that may be any JSON, and what
        # nobody waits for any more, or never did.
        logger.error("%s while handling a message", type(error).__name__)


def _is_identifier(value: object) -> TypeGuard[str | int]:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _reply(writer: Writer, identifier: str | int | None, code: int, message: str) -> None:
    writer.send(id=identifier, error={"code": code, "message": message})
