"""From initialize to shutdown, and the settings between."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from ratls_ls import settings as settings_module
from ratls_ls.settings import Trigger

from .server import Server

ANSWER_SECONDS = 5.0

logger = logging.getLogger(__name__)


def register(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(ls: Server, params: types.InitializeParams) -> None:
        asyncio.get_running_loop().set_exception_handler(_log_type_only)
        section = settings_module.section(params.initialization_options)
        # What is not known as the section was meant for this server all the same.
        settings = settings_module.parse(
            params.initialization_options if section is None else section
        )
        if section is None and _can_pull(ls):
            # Not before the client said whether it may be.
            settings = replace(settings, trigger=Trigger.MANUAL)
        elif section is not None:
            ls.settings = settings
        ls.first_settings = settings
        # The client gets its answer first; what it needs next is loaded while it thinks.
        asyncio.get_running_loop().call_soon(lambda: ls.session)

    @server.feature(types.INITIALIZED)
    async def initialized(ls: Server, _params: types.InitializedParams) -> None:
        await ls.session.warm_up()
        if registrations := list(_registrations(ls, ls.session.codex_home)):
            parameters = types.RegistrationParams(registrations)
            # A client that refuses tells us of no changes; all else works.
            with suppress(JsonRpcException, TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await ls.client_register_capability_async(parameters)
        if ls.settings is None and _can_pull(ls):
            await _pull(ls)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
        # Trust that is taken away counts for the very next message, so nothing is put off here.
        section = settings_module.section(params.settings)
        if section is not None:
            ls.configure(section)
        elif _can_pull(ls):
            ls.pulling = asyncio.get_running_loop().create_task(_pull(ls))

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
        await ls.session.aclose()


def _log_type_only(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """asyncio's own handler writes down the message, which could repeat what nobody may see."""
    logger.error("%s in the background", type(context.get("exception")).__name__)


def _can_pull(ls: Server) -> bool:
    workspace = ls.client_capabilities.workspace
    return workspace is not None and workspace.configuration is True


async def _pull(ls: Server) -> None:
    """Take the settings that the client has. If it has none, those stay that it sent before, else
    they are what they are by default."""
    item = types.ConfigurationItem(section="ratls")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            found = await ls.workspace_configuration_async(types.ConfigurationParams([item]))
    except (JsonRpcException, TimeoutError):
        found = []
    section = found[0] if found else None
    if section is not None or ls.settings is None:
        ls.configure(section)


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
