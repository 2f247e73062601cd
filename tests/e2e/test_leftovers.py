"""A message that was answered leaves nothing behind, however often it comes."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from .raw import RawServer, raw_server

PROGRAM = Path(__file__).with_name("counted.py")
TIMES = 200
COMMAND = "workspace/executeCommand"
MESSAGES = {
    "command": (COMMAND, {"command": "ratls.clearCache"}),
    "refused-command": (COMMAND, {"command": "ratls.attest", "arguments": [None, "nobody"]}),
    "unknown-command": (COMMAND, {"command": "no.such"}),
    "request": ("attestationStatus", {}),
    "refused-request": ("attestedRequest", {"provider": "nobody", "path": "/models"}),
    "hover": (
        "textDocument/hover",
        {
            "textDocument": {"uri": "file:///nothing.toml"},
            "position": {"line": 0, "character": 0},
        },
    ),
}
NOTIFICATIONS = {
    "folders": ("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": []}}),
    "progress": ("window/workDoneProgress/cancel", {"token": "no such"}),
    "trace": ("$/setTrace", {"value": "off"}),
    "settings": ("workspace/didChangeConfiguration", {"settings": {"ratls": {}}}),
    "files": ("workspace/didChangeWatchedFiles", {"changes": []}),
}


@pytest.mark.parametrize(
    ("message", "answered"),
    [
        *(pytest.param(message, True, id=name) for name, message in MESSAGES.items()),
        *(pytest.param(message, False, id=name) for name, message in NOTIFICATIONS.items()),
    ],
)
async def test_nothing_stays(tmp_path: Path, message: tuple[str, Any], answered: bool) -> None:
    method, params = message
    file = tmp_path / "count"
    async with raw_server(tmp_path, [], program=(PROGRAM, file)) as server:

        async def left(times: int) -> int:
            """How much there is once this was sent so many times."""
            for index in range(times):
                identifier = {"id": f"m{index}"} if answered else {}
                server.send({**identifier, "method": method, "params": params})
                if answered:
                    await server.answer(f"m{index}")
            await heard(server)
            os.kill(server.process.pid, signal.SIGUSR1)
            await heard(server)
            return int(file.read_text("ascii"))

        before = await left(10)
        assert await left(TIMES) - before < TIMES / 10


async def heard(server: RawServer) -> None:
    """All that was sent was taken in."""
    server.send({"id": "heard", "method": "attestationStatus", "params": {}})
    await server.answer("heard")
