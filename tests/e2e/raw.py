"""The server behind bare pipes, for what no editor would send."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .editor import PATIENCE_SECONDS, user_environment


@dataclass
class RawServer:
    """The server behind bare pipes: nothing is read that the test does not ask for. `seen`: every
    message that was read, in order."""

    process: asyncio.subprocess.Process
    seen: list[dict[str, Any]] = field(default_factory=list)

    @property
    def stdin(self) -> asyncio.StreamWriter:
        assert self.process.stdin is not None
        return self.process.stdin

    def write(self, data: bytes) -> None:
        """Any bytes, framed or not."""
        self.stdin.write(data)

    async def answer(self, identifier: Any) -> dict[str, Any]:
        """The answer with this id; whatever comes before it is dropped."""
        while True:
            message = await self._receive()
            if "method" not in message and message.get("id") == identifier:
                return message

    async def question(self, method: str) -> Any:
        """The id of the server's next request of this method; whatever comes before it is
        dropped."""
        while (message := await self._receive()).get("method") != method:
            pass
        return message["id"]

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    async def receive(self) -> dict[str, Any]:
        """The next message that is no news of a status."""
        while (message := await self._receive()).get("method") == "attestationStatus/changed":
            pass
        return message

    async def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await self.process.stdout.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"Content-Length: (\d+)", head)[1])  # type: ignore[index]
            message: dict[str, Any] = json.loads(await self.process.stdout.readexactly(length))
            self.seen.append(message)
            return message

    @property
    def peak_bytes(self) -> int:
        """The most memory that the process ever had (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * 1024  # type: ignore[index]


@asynccontextmanager
async def raw_server(
    home: Path,
    arguments: Sequence[str | Path],
    variables: Mapping[str, str] | None = None,
    program: Sequence[str | Path] = ("-m", "ratls_ls"),
    settings: Mapping[str, Any] | None = None,
    capabilities: Mapping[str, Any] | None = None,
) -> AsyncIterator[RawServer]:
    """Started and initialized; with further environment variables. `program`: what Python runs.
    `capabilities`: of the client."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *map(str, program), "--stdio", *map(str, arguments)),
        env={**user_environment(home), **(variables or {})},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    server = RawServer(process)
    try:
        initialize = {
            "processId": None,
            "rootUri": None,
            "capabilities": capabilities or {},
            "initializationOptions": settings,
        }
        server.send({"id": 0, "method": "initialize", "params": initialize})
        await server.receive()
        server.send({"method": "initialized", "params": {}})
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
