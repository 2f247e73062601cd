"""A simulated provider in a process of its own, so that it takes no turn of what is measured.

    python -m tests.bench.provider DIRECTORY TOKENS SECONDS

says TOKENS tokens, SECONDS apart, as its answer to a streamed prompt, until its stdin ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ratls_ls.simulator import OpenAi, serve

ROOT = Path(__file__).parents[2]
ID = "tee"


@dataclass(frozen=True, slots=True)
class Provider:
    base_url: str
    ca_file: str
    root_file: str
    config: str

    @property
    def trust(self) -> list[str]:
        """The server's arguments by which it trusts this provider."""
        return ["--ca-file", self.ca_file, "--unsafe-root-ca", self.root_file]


@asynccontextmanager
async def provider(home: Path, tokens: int = 100, seconds: float = 0.0) -> AsyncIterator[Provider]:
    """Started, and in the user-level config of whoever lives in `home`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.provider", str(home), str(tokens), str(seconds)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        started = Provider(**json.loads(await process.stdout.readline()))
        (home / ".codex").mkdir(exist_ok=True)
        (home / ".codex" / "config.toml").write_text(started.config, "utf-8")
        yield started
    finally:
        process.kill()
        await process.communicate()


async def _serve(directory: Path, tokens: int, seconds: float) -> None:
    api = OpenAi(reply=" ".join(["word"] * tokens), token_seconds=seconds)
    async with serve(api=api) as simulated:
        files = simulated.write_files(directory)
        told = {
            "base_url": simulated.base_url,
            "ca_file": str(files.ca_file),
            "root_file": str(files.root_file),
            "config": simulated.config_toml(ID),
        }
        print(json.dumps(told), flush=True)
        await asyncio.to_thread(os.read, 0, 1)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
