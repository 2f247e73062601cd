"""From initialize to shutdown, and the settings between."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

from lsprotocol import types

from ratls_ls import settings as settings_module

from .server import Server

logger = logging.getLogger(__name__)


def register(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(ls: Server, params: types.InitializeParams) -> None:
        asyncio.get_running_loop().set_exception_handler(_log_type_only)
        section = settings_module.section(params.initialization_options)
        # What is not known as the section was meant for this server all the same.
        ls.settings = ls.options.taken(
            params.initialization_options if section is None else section, ls.settings
        )
        ls.is_trust_open = section is None and _can_be_asked(ls)
        # The client gets its answer first; what it needs next is loaded while it thinks.
        asyncio.get_running_loop().call_soon(lambda: ls.session)

    @server.feature(types.INITIALIZED)
    async def initialized(ls: Server, _params: types.InitializedParams) -> None:
        registrations = list(_registrations(ls, ls.session.codex_home))
        if registrations:
            # Before the question: no change after its answer is missed. A client that refuses tells
            # of none; all else works.
            asked = types.RegistrationParams(registrations)
            ls.client_register_capability(asked)
        if ls.is_trust_open:
            ls.asking.begin()
        await ls.session.warm_up()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
        # Within the message: trust that is taken away counts for the very next one, and while the
        # client is asked of it, that one contacts nobody.
        section = settings_module.section(params.settings)
        if section is not None:
            ls.configure(section)
        elif _can_be_asked(ls):
            ls.asking.begin()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        for change in params.changes:
            ls.session.changed_on_disk(change.uri)

    @server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def cancel_progress(ls: Server, params: types.WorkDoneProgressCancelParams) -> None:
        if (shown := ls.work_done_progress.tokens.get(params.token)) is not None:
            shown.cancel()

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: Server, _params: None) -> None:
        ls.asking.stop()
        await ls.session.aclose()


def _log_type_only(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """asyncio's own handler writes down the message, which could repeat what nobody may see."""
    logger.error("%s in the background", type(context.get("exception")).__name__)


def _can_be_asked(ls: Server) -> bool:
    workspace = ls.client_capabilities.workspace
    return workspace is not None and workspace.configuration is True


def _registrations(ls: Server, codex_home: Path) -> list[types.Registration]:
    """What a client tells only those who ask for it."""
    workspace = ls.client_capabilities.workspace
    asked = []
    configuration = workspace.did_change_configuration if workspace is not None else None
    if configuration is not None and configuration.dynamic_registration:
        options = types.DidChangeConfigurationRegistrationOptions(section="ratls")
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        asked.append(types.Registration("ratls-configuration", method, options))
    files = workspace.did_change_watched_files if workspace is not None else None
    if files is not None and files.dynamic_registration:
        home = _in_codex_home(codex_home, relative=bool(files.relative_pattern_support))
        watchers = [types.FileSystemWatcher(home), types.FileSystemWatcher("**/.codex/*.toml")]
        watched = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        asked.append(types.Registration("ratls-files", method, watched))
    return asked


def _in_codex_home(home: Path, *, relative: bool) -> str | types.RelativePattern:
    directory = home.absolute()
    if relative:
        return types.RelativePattern(directory.as_uri(), "*.toml")
    return f"{directory.as_posix()}/*.toml"
