"""The server itself: its session, what it publishes, how its requests are answered.

Invariant: a request is answered with a typed error or with nothing that a value could be in.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from ratls_ls import __version__
from ratls_ls.cached import cached_property
from ratls_ls.config.span import PositionEncoding
from ratls_ls.config.words import printable
from ratls_ls.lsp import methods
from ratls_ls.lsp.garbage import keep_what_is_loaded
from ratls_ls.lsp.methods import MethodError
from ratls_ls.lsp.protocol import Protocol, converter, writer_of
from ratls_ls.lsp.writer import Writer, compact
from ratls_ls.settings import Options, Settings, tells_trust

from .asking import Asking
from .progress import CheckProgress

if TYPE_CHECKING:
    from ratls_ls.language.diagnose import Diagnostic
    from ratls_ls.lsp.convert import Converter
    from ratls_ls.session import OpenFile, Session

INTERNAL_ERROR = -32603
_P = ParamSpec("_P")
_T = TypeVar("_T")

logger = logging.getLogger(__name__)


class Server(LanguageServer):
    """The language server.

    What the session needs is loaded with it, and that is not before `initialize` is answered.
    """

    protocol: Protocol

    def __init__(self, options: Options) -> None:
        super().__init__(
            "ratls-ls", __version__, protocol_cls=Protocol, converter_factory=converter
        )
        self.options = options
        self.settings = options.settings  # that the client sent last, else those of `initialize`
        self.is_trust_open = False  # the client has yet to say whether it still trusts
        self.asking = Asking(self._ask, self._take_answer, self._distrust)

    @cached_property
    def encoding(self) -> PositionEncoding:
        return PositionEncoding(self.workspace.position_encoding or "utf-16")

    @property
    def writer(self) -> Writer:
        """For what is plain JSON already, which pygls would only take longer with."""
        return writer_of(self.protocol)

    # What the client is capable of.

    @property
    def shows_snippets(self) -> bool:
        document = self.client_capabilities.text_document
        item = document.completion.completion_item if document and document.completion else None
        return item is not None and item.snippet_support is True

    @property
    def shows_markdown(self) -> bool:
        document = self.client_capabilities.text_document
        formats = document.hover.content_format if document and document.hover else None
        return formats is not None and types.MarkupKind.Markdown in formats

    @property
    def resolves_edits(self) -> bool:
        """Whether it asks for the edit of a code action when that was chosen."""
        document = self.client_capabilities.text_document
        action = document.code_action if document else None
        resolved = action.resolve_support if action and action.data_support else None
        return resolved is not None and "edit" in resolved.properties

    @cached_property
    def _takes_versioned_edits(self) -> bool:
        workspace = self.client_capabilities.workspace
        edit = workspace.workspace_edit if workspace else None
        return edit is not None and edit.document_changes is True

    @cached_property
    def session(self) -> Session:
        from ratls_ls.session import Session

        keep_what_is_loaded()
        window = self.client_capabilities.window
        shown = window is not None and window.work_done_progress is True
        progress = CheckProgress(self.work_done_progress, lambda: self.session.cancel_checks())

        lens = workspace.code_lens if (workspace := self.client_capabilities.workspace) else None
        refreshed = lens is not None and lens.refresh_support is True

        def changed(status: dict[str, Any]) -> None:
            self.protocol.notify(methods.ATTESTATION_STATUS_CHANGED, status)
            if refreshed:
                self.workspace_code_lens_refresh(None)
            if shown:
                progress.update(status)

        return Session(
            self._held_settings,
            self.options,
            publish=self.publish,
            changed=changed,
            complain=self.complain,
            encoding=self.encoding,
            settled=self.asking.known,
        )

    @property
    def _held_settings(self) -> Settings:
        """Those that count: the client's, without its trust as long as that is open."""
        trusted = self.settings.trusted and not self.is_trust_open
        return replace(self.settings, trusted=trusted)

    def configure(self, section: object) -> None:
        """Take the settings that the client sent unasked. Of trust they may say nothing: then the
        answer is awaited, as before."""
        if tells_trust(section):
            self.asking.drop()
            self.is_trust_open = False
        self._take(section)

    def _take_answer(self, section: object | None) -> None:
        """None: the settings stay, and with them the trust that was given before."""
        self.is_trust_open = False
        self._take(section)

    def _take(self, section: object | None) -> None:
        if section is not None:
            self.settings = self.options.taken(section, self.settings)
        self.session.configure(self._held_settings)

    def _ask(self) -> Future[Sequence[Any]]:
        item = types.ConfigurationItem(section="ratls")
        return self.workspace_configuration(types.ConfigurationParams([item]))

    def _distrust(self) -> None:
        self.is_trust_open = True
        self._take(None)
        self.complain(
            "the editor does not say what its settings are (section `ratls`), so nothing is"
            " contacted until it does"
        )

    @cached_property
    def _converter(self) -> type[Converter]:
        from ratls_ls.lsp.convert import Converter

        return Converter

    def converter(self, entry: OpenFile) -> Converter:
        versioned = self._takes_versioned_edits
        return self._converter(entry.uri, entry.index, self.encoding, versioned=versioned)

    def served(self, uri: str, answer: Callable[[OpenFile], _T], nothing: _T) -> _T:
        """What `answer` gives for the open config `uri`; `nothing` for any other document, and
        where it fails: pygls would put what went wrong, with the document's text, into the answer
        and the log."""
        try:
            entry = self.session.file(uri)
            return nothing if entry is None else answer(entry)
        except JsonRpcException:
            raise  # meant for the client
        except Exception as error:
            logger.error("%s in %s", type(error).__name__, answer.__qualname__)
            return nothing

    def publish(self, entry: OpenFile, live: list[Diagnostic] | None) -> None:
        """Show what is wrong with an open file and what is known of its providers; with None
        nothing any more."""
        shown: list[str] = []
        if live is not None:
            converter = self.converter(entry)
            shown += converter.problems(entry.file, entry.context, entry.rendered)
            shown += map(converter.diagnostic, live)
        method = types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS
        version = "" if entry.version is None else f'"version":{entry.version},'
        params = f'"uri":{compact(entry.uri)},{version}"diagnostics":[{",".join(shown)}]'
        message = f'{{"jsonrpc":"2.0","method":"{method}","params":{{{params}}}}}'
        self.writer.send_json([message.encode()])

    def complain(self, message: str) -> None:
        self.window_show_message(
            types.ShowMessageParams(types.MessageType.Warning, f"ratls-ls: {printable(message)}")
        )

    def report_server_error(self, error: Exception, source: Any) -> None:
        if isinstance(error, JsonRpcException):
            return  # the client was told in the answer
        # Names only: a message could repeat what a document or an answer holds.
        logger.error("%s while handling a message", type(error).__name__)


def answered(
    handler: Callable[Concatenate[Server, _P], Awaitable[_T]],
) -> Callable[Concatenate[Server, _P], Awaitable[_T]]:
    """Turn whatever goes wrong in a request into an error answer that holds no secret."""

    @wraps(handler)
    async def wrapper(server: Server, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await handler(server, *args, **kwargs)
        except MethodError as error:
            answer = JsonRpcException(error.message, error.code, error.data)
        except Exception as error:
            logger.error("%s in %s", type(error).__name__, handler.__name__)
            message = f"internal error ({type(error).__name__}); please report it"
            answer = JsonRpcException(message, INTERNAL_ERROR)
        # Out here it does not know what it came from: pygls keeps it until garbage is collected,
        # and the frames of that have evidence in them.
        raise answer

    return wrapper
