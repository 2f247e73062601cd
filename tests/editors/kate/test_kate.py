"""Kate without a screen, set up as docs/editors.md says. `make test-kate` installs it."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.editor import user_environment
from tests.editors.world import PATIENCE_SECONDS, ROOT, code_blocks, world

CONFIG = """\
[model_providers.tee]
name = "TEE"
base_url = "http://tee.example/v1"
use_ratls = true
"""


async def test_it_starts_the_server_and_is_told(tmp_path: Path) -> None:
    config = tmp_path / ".codex" / "config.toml"
    _write(config, CONFIG)
    server = [sys.executable, "-m", "ratls_ls"]
    async with _kate(tmp_path, config, server) as told:
        # A problem, and the outline that it asks for.
        await _until(told, b"insecure-base-url", b"selectionRange")


async def test_the_settings_of_a_project_get_nobody_contacted(tmp_path: Path) -> None:
    async with world(tmp_path) as user:
        config = tmp_path / "project" / ".codex" / "config.toml"
        _write(config, user.attacked.config_toml("attacked", pinned=False))
        files = user.attacked.write_files(config.parent)
        settings = {
            "attestation": {"trigger": "onOpenAndSave"},
            "tls": {"caFile": str(files.ca_file)},
            "unsafeRootCa": [str(files.root_file)],
        }
        servers = {"servers": {"toml": {"initializationOptions": settings}}}
        project = {"name": "cloned", "files": [{"directory": "."}], "lspclient": servers}
        _write(config.parents[1] / ".kateproject", json.dumps(project))
        async with _kate(tmp_path, config, [tmp_path / "bin" / "ratls-ls"]) as told:
            seen = await _until(told, b"no-measurement-pinned", b"selectionRange")
        assert not user.attacked.record.connections
        assert b'"checking"' not in seen
        assert b"ratls.attestation.trigger, ratls.tls.caFile, ratls.unsafeRootCa: ignored" in seen


async def _until(told: asyncio.StreamReader, *wanted: bytes) -> bytes:
    """All that the editor was told once each of `wanted` is in it."""
    seen = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not all(each in seen for each in wanted):
            seen += await told.read(4096)
    return seen


@asynccontextmanager
async def _kate(
    home: Path, config: Path, server: Sequence[str | Path]
) -> AsyncIterator[asyncio.StreamReader]:
    """Kate with `config` open, and what the command `server` tells it."""
    [settings] = [
        block for block in code_blocks(ROOT / "docs" / "editors.md", "json") if '"servers"' in block
    ]
    _write(home / ".config/kate/lspclient/settings.json", settings)
    # What Kate writes there when the plugin is switched on, and the server allowed to start.
    program = home / "kate" / "ratls-ls"
    (command,) = (server["command"] for server in json.loads(settings)["servers"].values())
    allowed = shlex.join([str(program), *command[1:]])
    _write(
        home / ".config/katerc",
        "[Kate Plugins]\nlspclientplugin=true\nkateprojectplugin=true\n\n"
        f"[lspclient]\nAllowedServerCommandLines={allowed}\n",
    )
    told = home / "told"
    os.mkfifo(told)
    run = shlex.join(map(str, server))
    _write(program, f'#!/bin/sh\n{run} "$@" | tee {shlex.quote(str(told))}\n')
    program.chmod(0o755)

    reader = asyncio.StreamReader()
    end = os.fdopen(os.open(told, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), end
    )
    environment = user_environment(home)
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    kate = await asyncio.create_subprocess_exec(
        *("dbus-run-session", "--", "kate", "--new", "--block", str(config)),
        env=environment
        | {
            "PATH": f"{program.parent}{os.pathsep}{environment['PATH']}",
            "QT_QPA_PLATFORM": "offscreen",
            "XDG_RUNTIME_DIR": str(runtime),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield reader
    finally:
        os.killpg(kate.pid, signal.SIGKILL)
        await kate.wait()
        transport.close()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
