"""What the tests of real editors share: a user with configs, and simulated providers to talk to.

The editors run as users run them, set up by the very code blocks of docs/editors.md.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ratls_ls.simulator import OpenAi, SimulatedProvider, serve
from ratls_ls.simulator.http import Request, Response
from ratls_ls.simulator.openai import EVENT_STREAM, REPLY, event
from tests.e2e.editor import trust, user_environment

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0
# A misspelt key after characters of two, two and four bytes in UTF-8; one, one and two in UTF-16.
MISSPELT = (
    '[model_providers]\nplain = { name = "Ünïcode 😀", base_ulr = "https://plain.example" }\n\n'
)
STORY = "Once upon a time "
TOKEN_SECONDS = 0.02


@dataclass(frozen=True)
class Storyteller(OpenAi):
    """Asked for everything, it tells and never ends."""

    async def respond(self, request: Request) -> Response | None:
        if b"everything" in request.body:
            return Response(200, list(EVENT_STREAM), self._endless())
        return await super().respond(request)

    async def _endless(self) -> AsyncIterator[bytes]:
        while True:
            choice = {"index": 0, "delta": {"content": STORY}, "finish_reason": None}
            yield event({"object": "chat.completion.chunk", "choices": [choice]})
            await asyncio.sleep(TOKEN_SECONDS)


@dataclass
class World:
    """`tee` is an honest provider, `attacked` one whose quotes were made for somebody else."""

    home: Path
    tee: SimulatedProvider
    attacked: SimulatedProvider

    @property
    def config(self) -> Path:
        return self.home / ".codex" / "config.toml"

    async def run(self, *command: str | Path, **environment: str | Path) -> None:
        """Run an editor until it ends; raises AssertionError with all it said if it fails."""
        told = {name: str(value) for name, value in environment.items()}
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=self.home,
            env=self._environment | told,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == 0, output.decode("utf-8", "replace")

    @property
    def _environment(self) -> dict[str, str]:
        inherited = user_environment(self.home)
        return inherited | {
            "PATH": f"{self.home / 'bin'}{os.pathsep}{inherited['PATH']}",
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_DATA_HOME": str(self.home / ".data"),
            "LANG": "C.UTF-8",
            "PROJECT": str(self.home / "project"),
            "UNPINNED": str(self.home / ".codex" / "unpinned.config.toml"),
            "MRTD": self.tee.measurements["mrtd"],
            "REPLY": REPLY,
        }


@asynccontextmanager
async def world(home: Path) -> AsyncIterator[World]:
    """A user whose home is `home`, with `ratls-ls` on the PATH."""
    async with serve(api=Storyteller()) as tee, serve() as attacked:
        made = World(home, tee, attacked)
        _install(home / "bin" / "ratls-ls", trust(tee, home))
        config = tee.config_toml("tee") + "\n" + attacked.config_toml("attacked")
        _write(made.config, MISSPELT + config)
        _write(home / ".codex" / "unpinned.config.toml", tee.config_toml("unpinned", pinned=False))
        _write(home / "project" / ".codex" / "config.toml", tee.config_toml("tee"))
        _write(home / "project" / "pyproject.toml", '[project]\nname = "other"\n')
        yield made


def code_blocks(document: Path, language: str) -> Iterator[str]:
    """The code blocks of this language in a Markdown file."""
    pattern = rf"^```{re.escape(language)}\n(.*?)^```$"
    return (
        found[1]
        for found in re.finditer(pattern, document.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    )


def _install(program: Path, arguments: Sequence[str | Path]) -> None:
    """Put the server there as `ratls-ls`, trusting what `arguments` name."""
    command = shlex.join([sys.executable, "-m", "ratls_ls"])
    trusted = shlex.join(map(str, arguments))
    # Options follow the subcommand, and `--version` takes none.
    _write(
        program, f'#!/bin/sh\n[ "$1" = --stdio ] && set -- "$@" {trusted}\nexec {command} "$@"\n'
    )
    program.chmod(0o755)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
