"""An editor without a window: the real server over stdio, driven as editors do.

LSP's own messages have lsprotocol's types; those of this project are plain JSON, as on the wire.
Everything is awaited by message, nothing by time.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient, LanguageClientProtocol, client_capabilities

from ratls_ls.simulator import SimulatedProvider, serve

PATIENCE_SECONDS = 20.0
CUSTOM = ("attestedRequest", "attestationStatus", "attestationStatus/changed")


# pygls tells messages apart by the attributes they have.


@dataclass
class PlainNotification:
    method: str
    params: Any
    jsonrpc: str = "2.0"


@dataclass
class PlainResponse:
    id: Any
    result: Any
    jsonrpc: str = "2.0"


class Protocol(LanguageClientProtocol):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.plain_ids: set[Any] = set()

    def structure_message(self, data: dict[str, Any]) -> Any:
        if data.get("method") in CUSTOM:
            return PlainNotification(data["method"], data["params"])
        if data.get("method") == types.PROGRESS:
            params = data["params"]
            progress = types.ProgressParams(params["token"], params["value"])
            return PlainNotification(types.PROGRESS, progress)
        if "result" in data and data.get("id") in self.plain_ids:
            return PlainResponse(data["id"], data["result"])
        return super().structure_message(data)


class Editor(LanguageClient):
    """What an editor has: open documents, shown diagnostics, what it was told."""

    def __init__(self, **options: Any) -> None:
        super().__init__(protocol_cls=Protocol, **options)
        self.statuses: list[dict[str, Any]] = []
        self.parts: dict[Any, list[Any]] = {}
        self.applied: list[types.ApplyWorkspaceEditParams] = []
        self.takes_edits = True
        self.asked = 0  # how often for settings
        self.lenses_refreshed = 0  # how often
        self.registered: dict[str, Any] = {}  # dynamic registrations: options by method
        self.capable_of: types.ServerCapabilities
        self.position_encoding = "utf-16"
        self._versions = count(1)
        self._ids = count(1)
        self._news = asyncio.Event()

    @property
    def pid(self) -> int:
        """Of the server. pygls has no public name for it."""
        assert self._server is not None
        return self._server.pid

    async def until(self, found: Callable[[], Any]) -> Any:
        """What `found` gives as soon as that is true, looked at whenever something comes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (value := found()):
                await self._news.wait()
            return value

    def news(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    # Documents.

    def open(self, file: Path | str, text: str | None = None) -> str:
        """Open `file` with what is on disk, or with `text`. Returns its URI."""
        uri = file.as_uri() if isinstance(file, Path) else file
        if text is None:
            assert isinstance(file, Path)
            text = file.read_text("utf-8")
        item = types.TextDocumentItem(uri, "toml", next(self._versions), text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, *changes: Any) -> int:
        """Change to a whole text, or by (range, text) pairs. Returns the new version."""
        version = next(self._versions)
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version=version, uri=uri),
                [
                    types.TextDocumentContentChangeWholeDocument(text=change)
                    if isinstance(change, str)
                    else types.TextDocumentContentChangePartial(range=change[0], text=change[1])
                    for change in changes
                ],
            )
        )
        return version

    def save(self, uri: str) -> None:
        identifier = types.TextDocumentIdentifier(uri)
        self.text_document_did_save(types.DidSaveTextDocumentParams(identifier))

    def close_document(self, uri: str) -> None:
        identifier = types.TextDocumentIdentifier(uri)
        self.text_document_did_close(types.DidCloseTextDocumentParams(identifier))

    # Settings.

    def push(self, settings: Any) -> None:
        """Tell the server of these settings."""
        self.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings))

    def configure(self, settings: dict[str, Any]) -> None:
        """Have other settings, and tell the server no more than that."""
        self.set_configuration(settings)
        self.push(None)

    # What is shown.

    def codes(self, uri: str) -> list[Any]:
        return [diagnostic.code for diagnostic in self.diagnostics.get(uri, [])]

    def shown(self, uri: str, code: str) -> types.Diagnostic | None:
        found = (item for item in self.diagnostics.get(uri, []) if item.code == code)
        return next(found, None)

    async def diagnostic(self, uri: str, code: str) -> types.Diagnostic:
        """The diagnostic with this code, as soon as it is shown."""
        found: types.Diagnostic = await self.until(lambda: self.shown(uri, code))
        return found

    async def status(self, provider: str, state: str) -> dict[str, Any]:
        """The next status of `provider` told with this state; what was told before counts."""

        def found() -> dict[str, Any] | None:
            told = (
                status
                for status in self.statuses
                if (status["provider"], status["state"]) == (provider, state)
            )
            return next(told, None)

        status: dict[str, Any] = await self.until(found)
        return status

    # Requests of this project, in plain JSON.

    def start_request(self, method: str, params: object) -> tuple[Any, asyncio.Future[Any]]:
        """Send now; the id, and the result to wait for."""
        identifier = f"plain-{next(self._ids)}"
        self.protocol.plain_ids.add(identifier)
        sent = self.protocol.send_request(method, params, msg_id=identifier)
        return identifier, asyncio.wrap_future(sent)

    async def request(self, method: str, params: object) -> Any:
        """The result in plain JSON. Raises JsonRpcException, whose `data` is plain too."""
        _, result = self.start_request(method, params)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await result

    def cancel(self, identifier: Any) -> None:
        self.cancel_request(types.CancelParams(id=identifier))


async def refused(request: Any) -> JsonRpcException:
    """The error that a request is answered with."""
    try:
        await request
    except JsonRpcException as error:
        return error
    raise AssertionError("the request was answered")


def _editor(configuration: Mapping[str, Any]) -> Editor:
    editor = Editor(configuration={"": dict(configuration)})

    @editor.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(ls: Editor, params: types.PublishDiagnosticsParams) -> None:
        ls.diagnostics[params.uri] = params.diagnostics
        ls.news()

    @editor.feature("attestationStatus/changed")
    def status_changed(ls: Editor, params: dict[str, Any]) -> None:
        ls.statuses.append(params)
        ls.news()

    @editor.feature(types.PROGRESS)
    def progress(ls: Editor, params: types.ProgressParams) -> None:
        ls.parts.setdefault(params.token, []).append(params.value)
        ls.news()

    @editor.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
    def create_progress(_ls: Editor, _params: types.WorkDoneProgressCreateParams) -> None:
        return None

    @editor.feature(types.WORKSPACE_CODE_LENS_REFRESH)
    def refresh_lenses(ls: Editor, _params: None) -> None:
        ls.lenses_refreshed += 1
        ls.news()

    @editor.feature(types.WINDOW_SHOW_MESSAGE)
    def message(ls: Editor, params: types.ShowMessageParams) -> None:
        ls.messages.append(params)
        ls.news()

    @editor.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(ls: Editor, params: types.RegistrationParams) -> None:
        for registration in params.registrations:
            ls.registered[registration.method] = registration.register_options
        ls.news()

    @editor.feature(types.WORKSPACE_CONFIGURATION)
    def configuration_of(ls: Editor, params: types.ConfigurationParams) -> list[Any]:
        ls.asked += 1
        ls.news()
        return [ls.get_configuration(section=item.section) for item in params.items]

    @editor.feature(types.WORKSPACE_APPLY_EDIT)
    def apply_edit(ls: Editor, params: types.ApplyWorkspaceEditParams) -> Any:
        ls.applied.append(params)
        ls.news()
        return types.ApplyWorkspaceEditResult(
            applied=ls.takes_edits, failure_reason="read-only\x1b[2J"
        )

    return editor


def user_environment(home: Path) -> dict[str, str]:
    """The environment of a user who has everything in `home`."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CODEX_HOME": str(home / ".codex"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_STATE_HOME": str(home / ".state"),
    }


async def started(
    home: Path,
    *,
    arguments: Sequence[str | Path] = (),
    settings: Mapping[str, Any] | None = None,
    configuration: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    capabilities: str = "visual-studio-code",
    program: Sequence[str | Path] = ("-m", "ratls_ls"),
) -> Editor:
    """An editor with a server whose user, caches and CODEX_HOME are in `home`.

    `settings`: the nested object of section `ratls`; `configuration`: of all sections, for a server
    that asks for its own. `capabilities`: an editor that pytest-lsp knows ("neovim" negotiates
    utf-8, "visual-studio-code" utf-16). `program`: what Python runs.
    """
    driven = _editor(configuration or {})
    command = map(str, (*program, "--stdio", *arguments))
    await driven.start_io(
        sys.executable, *command, env={**user_environment(home), **(environment or {})}
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        initialized = await driven.initialize_session(
            types.InitializeParams(
                capabilities=client_capabilities(capabilities),
                root_uri=home.as_uri(),
                initialization_options=settings or {},
            )
        )
    driven.capable_of = initialized.capabilities
    driven.position_encoding = initialized.capabilities.position_encoding or "utf-16"
    return driven


@asynccontextmanager
async def editor(home: Path, **options: Any) -> AsyncIterator[Editor]:
    """`started`, and ended in peace."""
    driven = await started(home, **options)
    try:
        yield driven
    finally:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await driven.shutdown_session()
            await driven.stop()


@asynccontextmanager
async def configured(home: Path, **simulation: Any) -> AsyncIterator[SimulatedProvider]:
    """A simulated provider that the config of the user in `home` has as "tee"."""
    async with serve(**simulation) as simulated:
        config = home / ".codex" / "config.toml"
        config.parent.mkdir()
        config.write_text(simulated.config_toml("tee"), "utf-8")
        yield simulated


def trust(provider: SimulatedProvider, directory: Path) -> list[str | Path]:
    """The arguments by which a server trusts a simulated provider."""
    files = provider.write_files(directory)
    return ["--ca-file", files.ca_file, "--unsafe-root-ca", files.root_file]
