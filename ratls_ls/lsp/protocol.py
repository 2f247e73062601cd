"""pygls's protocol, but for what is better taken as the plain JSON that it comes as.

Invariant: what a handler of such a message raises, with a document's text in it, goes nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any, NamedTuple

from cattrs import Converter
from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.protocol import LanguageServerProtocol

from . import methods
from .position import PositionParams
from .tasks import Tasks
from .writer import Writer

_NOT_BUILT_IN: Any = None
# pygls would make objects of all that a body has.
_PLAIN_REQUESTS = frozenset({methods.ATTESTED_REQUEST, methods.ATTESTATION_STATUS})
# Asked for while somebody types; pygls would take longer for their types than they do themselves.
_POSITION_REQUESTS = frozenset({types.TEXT_DOCUMENT_COMPLETION, types.TEXT_DOCUMENT_HOVER})
# pygls would take a tenth of a millisecond for each, and keep a future of it for ever.
_PLAIN_NOTIFICATIONS = frozenset(
    {
        types.TEXT_DOCUMENT_DID_OPEN,
        types.TEXT_DOCUMENT_DID_CHANGE,
        types.TEXT_DOCUMENT_DID_SAVE,
        types.TEXT_DOCUMENT_DID_CLOSE,
    }
)

logger = logging.getLogger(__name__)


class PlainRequest(NamedTuple):
    id: int | str
    method: str
    params: Any


class PositionRequest(NamedTuple):
    """Answered at once, by a plain JSON value."""

    id: int | str
    method: str
    params: PositionParams


class PlainNotification(NamedTuple):
    method: str
    params: Any


class Protocol(LanguageServerProtocol):
    # The server has its own; nothing is traced, and no folder matters. pygls keeps a future of each
    # for ever, seven kilobytes of a command that fails.
    lsp_text_document__did_open = _NOT_BUILT_IN
    lsp_text_document__did_change = _NOT_BUILT_IN
    lsp_text_document__did_close = _NOT_BUILT_IN
    lsp_workspace__execute_command = _NOT_BUILT_IN
    lsp_work_done_progress_cancel = _NOT_BUILT_IN
    lsp_workspace__did_change_workspace_folders = _NOT_BUILT_IN
    lsp_set_trace = _NOT_BUILT_IN

    def __init__(self, server: Any, converter: Any) -> None:
        super().__init__(server, converter)
        self._tasks = Tasks()

    def structure_message(self, data: dict[str, Any]) -> Any:
        method, identifier = data.get("method"), data.get("id")
        if method in _PLAIN_NOTIFICATIONS and "id" not in data:
            return PlainNotification(method, data.get("params"))
        if method in _PLAIN_REQUESTS and isinstance(identifier, (int, str)):
            return PlainRequest(identifier, method, data.get("params"))
        if method in _POSITION_REQUESTS and isinstance(identifier, (int, str)):
            return PositionRequest(identifier, method, PositionParams.parse(data["params"]))
        return super().structure_message(data)

    def handle_message(self, message: Any) -> None:
        if isinstance(message, PlainRequest):
            work = self.fm.features[message.method](message.params)
            self._tasks.start(message.id, work, writer_of(self))
        elif isinstance(message, PositionRequest):
            result = self.fm.features[message.method](message.params)
            writer_of(self).send(id=message.id, result=result)
        elif not self._cancelled(message):
            super().handle_message(message)

    def notified(self, notification: PlainNotification) -> Coroutine[Any, Any, None] | None:
        """Call its handler. What that gives is still to be done, before the next message."""
        method = notification.method
        try:
            work = self.fm.features[method](notification.params)
        except Exception as error:
            logger.error("%s in %s", type(error).__name__, method)
            return None
        return work and _logged(work, method)

    def _cancelled(self, message: Any) -> bool:
        is_cancel = isinstance(message, types.CancelNotification)
        return is_cancel and self._tasks.cancel(message.params.id)


async def _logged(work: Coroutine[Any, Any, None], method: str) -> None:
    try:
        await work
    except Exception as error:
        logger.error("%s in %s", type(error).__name__, method)


def converter() -> Converter:
    """Of LSP's types. Without the long story of what does not fit, which nobody is told, it takes
    less time at the start and for every message."""
    return get_converter(Converter(detailed_validation=False))


def writer_of(protocol: LanguageServerProtocol) -> Writer:
    """For what is plain JSON already, which pygls would only take longer with."""
    assert isinstance(protocol.writer, Writer)
    return protocol.writer
