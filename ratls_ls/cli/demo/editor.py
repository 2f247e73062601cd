"""An editor without a window: the real server as a process of its own, over stdio.

Invariant: every message stays the plain JSON that it is on the wire.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from pygls.client import JsonRPCClient
from pygls.protocol import JsonRPCProtocol
from pygls.protocol.json_rpc import (
    JsonRPCNotification,
    JsonRPCRequestMessage,
    JsonRPCResponseMessage,
)

from ratls_ls.lsp.methods import ATTESTATION_STATUS_CHANGED, ATTESTED_REQUEST

PATIENCE_SECONDS = 30.0
_TOKEN = "demo"  # noqa: S105 (of a partial result)
Json = dict[str, Any]
_T = TypeVar("_T")


class _Protocol(JsonRPCProtocol):
    def structure_message(self, data: Json) -> Any:
        match data:
            case {"id": identifier, "method": method}:
                return JsonRPCRequestMessage(identifier, method, "2.0", data.get("params"))
            case {"method": method}:
                return JsonRPCNotification(method, "2.0", data.get("params"))
            case {"id": identifier, "result": result}:
                return JsonRPCResponseMessage(identifier, "2.0", result)
        return super().structure_message(data)


class Editor:
    """One open document, what is shown on it, and the requests of an extension."""

    def __init__(self, client: JsonRPCClient, uri: str) -> None:
        self._client = client
        self._uri = uri
        self._version = 0
        self._shown: Json = {}
        self._statuses: dict[str, Json] = {}
        self._news = asyncio.Event()
        self._parts: asyncio.Queue[Json | None] = asyncio.Queue()

        self._on("textDocument/publishDiagnostics", self._publish)
        self._on(ATTESTATION_STATUS_CHANGED, self._status_changed)
        self._on("$/progress", self._progress)

    def open(self, text: str) -> None:
        self._version += 1
        document = {"uri": self._uri, "languageId": "toml", "version": self._version, "text": text}
        self._client.protocol.notify("textDocument/didOpen", {"textDocument": document})

    def change(self, text: str) -> None:
        self._version += 1
        document = {"uri": self._uri, "version": self._version}
        changes = {"textDocument": document, "contentChanges": [{"text": text}]}
        self._client.protocol.notify("textDocument/didChange", changes)

    def save(self) -> None:
        self._client.protocol.notify("textDocument/didSave", {"textDocument": {"uri": self._uri}})

    async def problems(self) -> list[Json]:
        """The diagnostics of the text as it stands now."""
        return await self._until(
            lambda: (
                self._shown["diagnostics"] if self._shown.get("version") == self._version else None
            )
        )

    async def diagnostic(self, code: str) -> Json:
        """The diagnostic with this code, as soon as it is shown."""
        return await self._until(
            lambda: next(
                (item for item in self._shown.get("diagnostics", ()) if item["code"] == code), None
            )
        )

    async def status(self, state: str) -> Json:
        """The last ProviderStatus told with this state, as soon as there is one."""
        return await self._until(lambda: self._statuses.get(state))

    async def stream(self, params: Json) -> AsyncIterator[Json]:
        """`attestedRequest`: the parts of its answer, then its result.

        Raises JsonRpcException.
        """
        sent = self._client.protocol.send_request(
            ATTESTED_REQUEST, {**params, "uri": self._uri, "partialResultToken": _TOKEN}
        )
        sent.add_done_callback(lambda _: self._parts.put_nowait(None))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (part := await self._parts.get()) is not None:
                yield part
        yield sent.result()

    def _on(self, method: str, handler: Callable[[Json], None]) -> None:
        self._client.feature(method)(lambda params: handler(params))

    def _publish(self, params: Json) -> None:
        self._shown = params
        self._news.set()

    def _status_changed(self, params: Json) -> None:
        self._statuses[params["state"]] = params
        self._news.set()

    def _progress(self, params: Json) -> None:
        self._parts.put_nowait(params["value"])

    async def start(self, home: Path) -> None:
        """The LSP handshake."""
        parameters = {"processId": os.getpid(), "rootUri": home.as_uri(), "capabilities": {}}
        await self._request("initialize", parameters)
        self._client.protocol.notify("initialized", {})

    async def stop(self) -> None:
        await self._request("shutdown", None)
        self._client.protocol.notify("exit", None)

    async def _request(self, method: str, params: Json | None) -> Any:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._client.protocol.send_request_async(method, params)

    async def _until(self, found: Callable[[], _T | None]) -> _T:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (value := found()) is None:
                await self._news.wait()
                self._news.clear()
            return value


@asynccontextmanager
async def editor(
    home: Path, config: Path, *, arguments: Sequence[str | Path], environment: Mapping[str, str]
) -> AsyncIterator[Editor]:
    """An editor whose user, caches and CODEX_HOME are in `home`, its server running."""
    client = JsonRPCClient(_Protocol)
    variables = {
        **os.environ,
        "HOME": str(home),
        "CODEX_HOME": str(config.parent),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        **environment,
    }
    command = ["-m", "ratls_ls", "--stdio", *map(str, arguments)]
    await client.start_io(sys.executable, *command, env=variables)
    driven = Editor(client, config.as_uri())
    try:
        await driven.start(home)
        yield driven
    finally:
        await driven.stop()
        await client.stop()  # type: ignore[no-untyped-call]  # pygls gives it no types
