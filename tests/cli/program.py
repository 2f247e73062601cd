"""The program itself, as a person runs it: piped, or on a terminal."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.e2e.editor import PATIENCE_SECONDS, user_environment

COLUMNS = 80


class Ran(NamedTuple):
    code: int | None
    out: str
    errors: str


@asynccontextmanager
async def started(
    home: Path, *arguments: str | Path, stdout: int = PIPE, **environment: str
) -> AsyncIterator[Process]:
    """The program under way; it is ended with the context."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ratls_ls", *map(str, arguments)),
        env=user_environment(home) | environment,
        stdin=PIPE,
        stdout=stdout,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def piped(home: Path, *arguments: str | Path, **environment: str) -> Ran:
    """What it wrote into pipes."""
    async with started(home, *arguments, **environment) as process:
        out, errors = await process.communicate()
        return Ran(process.returncode, out.decode("utf-8"), errors.decode("utf-8"))


async def on_terminal(home: Path, *arguments: str | Path, **environment: str) -> Ran:
    """What it wrote to a terminal of 80 columns, control sequences and all."""
    here, there = os.openpty()
    termios.tcsetwinsize(there, (24, COLUMNS))
    environment = {"TERM": "xterm-256color", **environment}
    async with started(home, *arguments, stdout=there, **environment) as process:
        os.close(there)
        shown = await asyncio.to_thread(_read, here)
        _, errors = await process.communicate()
        return Ran(process.returncode, shown.decode("utf-8"), errors.decode("utf-8"))


def _read(descriptor: int) -> bytes:
    """All that comes until the other side is closed."""
    data = b""
    # Linux says so by an error, others by an end.
    with open(descriptor, "rb", buffering=0) as stream, suppress(OSError):
        while part := stream.read(4096):
            data += part
    return data
