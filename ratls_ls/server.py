"""pygls registrations: each takes LSP's types apart and calls the session.

Invariant: no handler lets an exception, and with it a value, into pygls's error answers.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from ratls_ls import __version__
from ratls_ls import settings as settings_module
from ratls_ls.atls.verifier import TrustError
from ratls_ls.config.span import PositionEncoding
from ratls_ls.language.diagnose import Diagnostic
from ratls_ls.lsp import methods
from ratls_ls.lsp.convert import Converter
from ratls_ls.lsp.methods import AttestationStatusParams, AttestedRequestParams, MethodError
from ratls_ls.lsp.wire import Writer
from ratls_ls.session import OpenFile, Options, Session
from ratls_ls.settings import Settings

INTERNAL_ERROR = -32603
_RAW_METHODS = frozenset({methods.ATTESTED_REQUEST, methods.ATTESTATION_STATUS})
_P = ParamSpec("_P")
_T = TypeVar("_T")

logger = logging.getLogger(__name__)


@dataclass
class _RawRequest:
    """A custom request with its parameters as they came: pygls would turn them into objects."""

    id: int | str
    method: str
    params: Any
    jsonrpc: str = "2.0"


class _Protocol(LanguageServerProtocol):
    def structure_message(self, data: dict[str, Any]) -> Any:
        if data.get("method") in _RAW_METHODS and isinstance(data.get("id"), (int, str)):
            return _RawRequest(data["id"], data["method"], data.get("params"))
        return super().structure_message(data)


class Server(LanguageServer):
    """The language server. `session` exists from `initialize` on."""

    def __init__(self, options: Options) -> None:
        super().__init__("ratls-ls", __version__, protocol_cls=_Protocol)
        self.options = options
        self.session: Session

    @property
    def encoding(self) -> PositionEncoding:
        return PositionEncoding(self.workspace.position_encoding or "utf-16")

    def start_session(self, settings: Settings) -> None:
        try:
            self._new_session(settings, self.options)
        except TrustError as error:
            # Fewer roots than asked for is the safe side; the user is told why.
            self.complain(str(error))
            self._new_session(Settings(trusted=False, codex_home=settings.codex_home), Options())
        for complaint in settings.complaints:
            self.complain(f"setting ratls.{complaint}")

    def _new_session(self, settings: Settings, options: Options) -> None:
        self.session = Session(
            settings,
            options,
            publish=self.publish,
            changed=lambda status: self.protocol.notify(methods.ATTESTATION_STATUS_CHANGED, status),
            encoding=self.encoding,
        )

    def converter(self, entry: OpenFile) -> Converter:
        return Converter(entry.uri, entry.index, self.encoding)

    def publish(self, entry: OpenFile, diagnostics: list[Diagnostic]) -> None:
        converter = self.converter(entry)
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(
                uri=entry.uri,
                version=entry.version,
                diagnostics=[converter.diagnostic(diagnostic) for diagnostic in diagnostics],
            )
        )

    def complain(self, message: str) -> None:
        self.window_show_message(
            types.ShowMessageParams(types.MessageType.Warning, f"ratls-ls: {message}")
        )

    def report_server_error(self, error: Exception, source: Any) -> None:
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
            raise JsonRpcException(error.message, error.code, error.data) from None
        except Exception as error:
            logger.error("%s in %s", type(error).__name__, handler.__name__)
            message = f"internal error ({type(error).__name__}); please report it"
            raise JsonRpcException(message, INTERNAL_ERROR) from None

    return wrapper


def create(options: Options) -> Server:
    """A server with all its features."""
    server = Server(options)
    _register_lifecycle(server)
    _register_documents(server)
    _register_methods(server)
    _register_commands(server)
    return server


def _register_lifecycle(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(ls: Server, params: types.InitializeParams) -> None:
        ls.start_session(settings_module.parse(params.initialization_options))

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
        value = params.settings
        section = value.get("ratls", value) if isinstance(value, dict) else None
        if section is None:
            return
        try:
            ls.session.configure(settings_module.parse(section))
        except TrustError as error:
            ls.complain(str(error))

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: Server, _params: None) -> None:
        await ls.session.aclose()


def _register_documents(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        ls.session.open(document.uri, document.text, document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        text = ls.workspace.get_text_document(uri).source
        ls.session.change(uri, text, params.text_document.version)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        ls.session.save(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        ls.session.close(params.text_document.uri)


def _register_methods(server: Server) -> None:
    @server.feature(methods.ATTESTED_REQUEST)
    @answered
    async def attested_request(ls: Server, params: object) -> dict[str, Any]:
        parsed = AttestedRequestParams.parse(params)

        async def emit(part: dict[str, Any]) -> None:
            ls.protocol.notify(types.PROGRESS, _Progress(parsed.partial_result_token, part))
            if isinstance(ls.protocol.writer, Writer):
                await ls.protocol.writer.drained()

        return await ls.session.attested_request(parsed, emit)

    @server.feature(methods.ATTESTATION_STATUS)
    @answered
    async def attestation_status(ls: Server, params: object) -> dict[str, Any]:
        return await ls.session.attestation_status(AttestationStatusParams.parse(params))


@dataclass
class _Progress:
    """ProgressParams with a value of any shape."""

    token: int | str | None
    value: dict[str, Any]


def _register_commands(server: Server) -> None:
    @server.command(methods.ATTEST_COMMAND)
    @answered
    async def attest(ls: Server, *arguments: Any) -> None:
        uri, provider = _texts(arguments, 1, 2)
        await ls.session.attest(uri, provider)

    @server.command(methods.CLEAR_CACHE_COMMAND)
    @answered
    async def clear_cache(ls: Server, *arguments: Any) -> None:
        _texts(arguments, 0, 0)
        ls.session.clear_cache()


def _texts(arguments: tuple[Any, ...], least: int, most: int) -> tuple[str | None, str | None]:
    """Up to two texts. Raises MethodError."""
    if not least <= len(arguments) <= most:
        raise methods.invalid_params("arguments", f"{least} to {most} are taken")
    for index, argument in enumerate(arguments):
        if argument is not None and not isinstance(argument, str):
            raise methods.invalid_params(f"arguments[{index}]", "must be a string")
    first, second, *_ = (*arguments, None, None)
    return first, second
