"""Messages between the client's byte stream and pygls, both ways.

Invariant: no framing, size or JSON of a client ends the server or its loop; stdout carries
protocol only. pygls's own reader dies of an absurd Content-Length and its writer blocks the event
loop; both are replaced through the seams that pygls publishes.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine
from typing import Any, TypeGuard

from .garbage import Quiet
from .lifecycle import INVALID_REQUEST, Lifecycle
from .methods import INVALID_PARAMS
from .protocol import PlainNotification, Protocol
from .reader import Framing, FramingError, Input
from .writer import Writer

PARSE_ERROR = -32700

logger = logging.getLogger(__name__)

_decode = json.JSONDecoder().decode


async def serve(descriptor: int, writer: Writer, protocol: Protocol) -> None:
    """Hand every message of the client to `protocol`, until its stream `descriptor` ends."""
    protocol.set_writer(writer)
    conversation = _Conversation(descriptor, writer, protocol)
    try:
        await conversation.ended
    finally:
        conversation.close()


class _Conversation:
    """One message after the other, each when what the one before began is done. `ended` is done
    when the last was handled."""

    def __init__(self, descriptor: int, writer: Writer, protocol: Protocol) -> None:
        self._writer = writer
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._framing = Framing()
        self._is_idle = True
        self._is_last = False  # what came until now
        self._input = Input(descriptor, self._came, self._no_more)
        self._lifecycle = Lifecycle(self._is_known, gone=self._input.end)
        self._quiet = Quiet()
        self._input.resume()

    def close(self) -> None:
        self._input.pause()

    def _is_known(self, method: str) -> bool:
        features = self._protocol.fm
        # `$/…` is optional by definition, and cancelling is pygls's own.
        found = method in features.features or method in features.builtin_features
        return found or method.startswith("$/")

    def _came(self, chunk: bytes) -> None:
        self._framing.feed(chunk)
        if self._is_idle:
            self._go_on()
        else:
            self._input.pause()

    def _no_more(self) -> None:
        self._is_last = True
        if self._is_idle:
            self._go_on()

    def _go_on(self) -> None:
        """Handle the next message, if it is there."""
        if self.ended.done():
            return
        try:
            item = self._framing.next()
        except FramingError as error:
            logger.error("the client's stream cannot be followed: %s", error)
            self._end()
            return
        if item is None:
            self._is_idle = True
            if self._is_last:
                self._end()
            else:
                self._input.resume()
            return
        self._is_idle = False
        if isinstance(item, int):
            message = f"a message of {item} bytes is too large"
            _reply(self._writer, None, INVALID_REQUEST, message)
            self._done()
        elif (work := self._handle(item)) is not None:
            self._loop.create_task(work).add_done_callback(self._done)
        else:
            self._done()

    def _done(self, _: object = None) -> None:
        """A message was handled. Many at once keep nothing else waiting."""
        self._quiet.ended()
        self._loop.call_soon(self._go_on)

    def _end(self) -> None:
        self.close()
        if not self.ended.done():
            self.ended.set_result(None)

    def _handle(self, body: bytes) -> Coroutine[Any, Any, None] | None:
        """What is left to be done before the next message may be handled."""
        writer, protocol = self._writer, self._protocol
        try:
            data = _decode(body.decode())
        except (ValueError, RecursionError):
            _reply(writer, None, PARSE_ERROR, "the message is not JSON in UTF-8")
            return None
        given = data.get("id") if isinstance(data, dict) else None
        identifier = given if _is_identifier(given) else None
        if not isinstance(data, dict) or data.get("jsonrpc") != "2.0":
            _reply(writer, identifier, INVALID_REQUEST, "not a JSON-RPC 2.0 message")
            return None
        method = data.get("method")
        if isinstance(method, str) and "id" in data and identifier is None:
            _reply(writer, None, INVALID_REQUEST, "the id is neither a string nor an integer")
            return None
        if isinstance(method, str) and (refusal := self._lifecycle.refusal(method)) is not None:
            if identifier is not None:
                _reply(writer, identifier, *refusal)
            return None
        try:
            message = protocol.structure_message(data)
        except Exception:
            if identifier is not None:
                code = INVALID_PARAMS if isinstance(method, str) else INVALID_REQUEST
                _reply(writer, identifier, code, "the message does not fit its method")
            return None
        if isinstance(method, str):
            self._lifecycle.passed(method, data.get("params"))
        try:
            if isinstance(message, PlainNotification):
                return protocol.notified(message)
            protocol.handle_message(message)
        except Exception as error:
            # pygls takes what is cancelled or answered at its word: that may be any JSON, and what
            # nobody waits for any more, or never did.
            logger.error("%s while handling a message", type(error).__name__)
        return None


def _is_identifier(value: object) -> TypeGuard[str | int]:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _reply(writer: Writer, identifier: str | int | None, code: int, message: str) -> None:
    writer.send(id=identifier, error={"code": code, "message": message})
