"""`ratls-ls simulate` as somebody tries it out."""

from __future__ import annotations

import os
import shlex
import signal
from pathlib import Path

import pytest

from ratls_ls.cli.main import run

from .program import piped, started


async def test_the_command_that_it_tells_of_attests(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    async with started(tmp_path, "simulate", "--write-config", config) as process:
        assert process.stdout is not None
        told = (await process.stdout.readuntil(b"serving")).decode()
        [line] = [line for line in told.splitlines() if line.startswith("try: ratls-ls ")]
        ran = await piped(tmp_path, *shlex.split(line)[2:])
        assert (ran.code, ran.errors) == (0, "")
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    again = ["simulate", "--write-config", config]
    async with started(tmp_path, *again) as process:
        assert process.stdout is not None
        assert b"serving" in await process.stdout.readuntil(b"serving")


def test_a_config_of_somebodys_own_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("mine = true\n", "utf-8")
    assert run(["simulate", "--write-config", str(config)]) == 2
    assert config.read_text("utf-8") == "mine = true\n"
    assert "holds something else" in capsys.readouterr().err


@pytest.mark.parametrize("endless", ["/dev/zero", "pipe"])
async def test_what_never_ends_is_not_read(tmp_path: Path, endless: str) -> None:
    if endless == "pipe":
        os.mkfifo(tmp_path / endless)
    ran = await piped(tmp_path, "simulate", "--write-config", tmp_path / endless)
    assert ran.code == 2
    assert "holds something else" in ran.errors
