"""From initialize to shutdown, and the settings between."""

from __future__ import annotations

from lsprotocol import types

from ratls_ls import settings as settings_module

from .server import Server


def register(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(ls: Server, params: types.InitializeParams) -> None:
        ls.start_session(settings_module.parse(params.initialization_options))

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(ls: Server, params: types.DidChangeConfigurationParams) -> None:
        value = params.settings
        section = value.get("ratls", value) if isinstance(value, dict) else None
        if section is None:
            return
        ls.session.configure(settings_module.parse(section))

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: Server, _params: None) -> None:
        await ls.session.aclose()
