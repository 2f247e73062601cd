"""Kate without a screen, set up as docs/editors.md says. `make test-kate` installs it."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

from tests.e2e.editor import user_environment
from tests.editors.world import PATIENCE_SECONDS, ROOT, code_blocks

CONFIG = """\
[model_providers.tee]
name = "TEE"
base_url = "http://tee.example/v1"
use_ratls = true
"""


async def test_it_starts_the_server_and_is_told(tmp_path: Path) -> None:
    [settings] = [
        block for block in code_blocks(ROOT / "docs" / "editors.md", "json") if '"servers"' in block
    ]
    _write(tmp_path / ".config/kate/lspclient/settings.json", settings)
    # What Kate writes there when the plugin is switched on, and the server allowed to start.
    program = tmp_path / "bin" / "ratls-ls"
    _write(
        tmp_path / ".config/katerc",
        f"[Kate Plugins]\nlspclientplugin=true\n\n"
        f"[lspclient]\nAllowedServerCommandLines={program} --stdio\n",
    )
    told = tmp_path / "told"
    os.mkfifo(told)
    server = shlex.join([sys.executable, "-m", "ratls_ls"])
    _write(program, f'#!/bin/sh\n{server} "$@" | tee {shlex.quote(str(told))}\n')
    program.chmod(0o755)
    config = tmp_path / ".codex" / "config.toml"
    _write(config, CONFIG)

    reader = asyncio.StreamReader()
    end = os.fdopen(os.open(told, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), end
    )
    kate = await _kate(tmp_path, config)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            seen = b""
            # A problem, and the outline that it asks for.
            while not (b"insecure-base-url" in seen and b"selectionRange" in seen):
                seen += await reader.read(4096)
    finally:
        os.killpg(kate.pid, signal.SIGKILL)
        await kate.wait()
        transport.close()


async def _kate(home: Path, config: Path) -> asyncio.subprocess.Process:
    environment = user_environment(home)
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    return await asyncio.create_subprocess_exec(
        *("dbus-run-session", "--", "kate", "--new", "--block", str(config)),
        env=environment
        | {
            "PATH": f"{home / 'bin'}{os.pathsep}{environment['PATH']}",
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_RUNTIME_DIR": str(runtime),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
