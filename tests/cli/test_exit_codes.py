"""The exit codes are those of docs/commands.md, which are those of `--help`."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from pathlib import Path

import pytest

from ratls_ls.cli.main import run
from ratls_ls.simulator import SimulatedProvider, serve
from tests.e2e.editor import trust
from tests.vectors import Vector, needed, vectors

from .program import started

DOCUMENT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")
ROW = re.compile(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\|$", re.MULTILINE)
DOCUMENTED = {
    (command, code): meaning.strip()
    for command, *meanings in ROW.findall(DOCUMENT)
    for code, meaning in enumerate(meanings)
    if meaning.strip()
}
ATTESTED = """\
[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
use_ratls = true
"""
# For each code what ends with it; `bad` is a provider that is rejected, `gone` one that is away.
COMMANDS = {
    ("check", 0): "check good.toml",
    ("check", 1): "check broken.toml",
    ("check", 2): "check good.toml absent.toml",
    ("attest", 0): "attest TRUST tee",
    ("attest", 1): "attest TRUST tee bad",
    ("attest", 2): "attest TRUST tee gone",
    ("request", 0): "request TRUST tee /models",
    ("request", 1): "request TRUST tee /absent",
    ("request", 2): "request TRUST gone /models",
    ("simulate", 0): "simulate --list-faults",
    ("simulate", 2): "simulate --fault none-such",
    ("schema", 0): "schema",
    ("completion", 0): "completion fish",
    ("completion", 2): "completion tcsh",
}
# These are seen elsewhere: those of the demo take longer.
ELSEWHERE = {("demo", 0), ("demo", 2)}


@pytest.mark.parametrize("command", dict.fromkeys(command for command, _ in DOCUMENTED))
def test_help_says_what_the_document_says(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        run([command, "--help"])
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    meanings = {code: text for (name, code), text in DOCUMENTED.items() if name == command}
    lines = "".join(f"  {code} {text}\n" for code, text in meanings.items())
    assert f"exit codes:\n{lines}\nexamples:\n  ratls-ls" in told.replace('eval "$(', "")


def test_every_code_is_seen() -> None:
    recorded = {("appraise", code) for code in (0, 1, 2)}
    assert COMMANDS.keys() | ELSEWHERE | recorded == DOCUMENTED.keys()


async def test_commands_end_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    async with serve() as tee, serve() as gone, serve(faults=["debug-td"]) as bad:
        providers: dict[str, SimulatedProvider] = {"tee": tee, "gone": gone, "bad": bad}
        tables = [provider.config_toml(name) for name, provider in providers.items()]
        await gone.stop()
        Path("good.toml").write_text(tee.config_toml("tee"), "utf-8")
        Path("broken.toml").write_text("[", "utf-8")
        Path("config.toml").write_text("\n".join(tables), "utf-8")
        trusted = " ".join(map(str, trust(tee, tmp_path)))
        for (command, code), line in COMMANDS.items():
            words = line.replace("TRUST", trusted).split()
            assert await asyncio.to_thread(_ended, words) == code, (command, line)


@needed
def test_recorded_evidence_ends_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    vector = Vector(next(v.directory for v in vectors() if v.name == "mpc-quote-b9e238b2"))
    entry = vector.collaterals[0]
    files = [
        *("--quote", str(vector.directory / "quote.bin")),
        *("--collateral", str(vector.directory / entry["file"])),
        *("--event-log", str(vector.directory / "event_log.json")),
    ]
    assert _ended(["appraise", *files, "--at", str(entry["verify_at"])]) == 0
    assert _ended(["appraise", *files, "--at", "0"]) == 1
    assert "from the future: is --at right?" in capsys.readouterr().out
    assert _ended(["appraise", *files]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "expired; judge as of when it was recorded, with --at" in told
    assert "pccs_url" not in told
    for time in ("yesterday", "²", "٣", "-1", "9" * 30, "1969-12-31", "0001-01-01T00:00:00+23:59"):
        assert _ended(["appraise", *files, f"--at={time}"]) == 2


def _ended(words: list[str]) -> int | str | None:
    try:
        return run(words)
    except SystemExit as ended:  # arguments that do not parse
        return ended.code


async def test_an_interrupt_is_130_without_a_word(
    provider: SimulatedProvider, trusting: list[str | Path], tmp_path: Path
) -> None:
    provider.set_faults(["pccs-silent"])
    # Tests that run in the background may have it ignored, and the command would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        async with started(tmp_path, "attest", *trusting, "tee") as process:
            await provider.record.wait_for(lambda record: record.pccs_targets)
            process.send_signal(signal.SIGINT)
            _, errors = await process.communicate()
            assert (process.returncode, errors) == (130, b"")
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_nobody_foresaw_is_2_without_its_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise ValueError("canary")

    monkeypatch.setattr("ratls_ls.cli.schema.schema", fail)
    assert run(["schema"]) == 2
    assert capsys.readouterr().err == (
        "ratls-ls: stopped by an error of its own (ValueError); please report it\n"
    )


def test_windows_is_told_where_it_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        assert run(["--stdio"]) == 2
    assert capsys.readouterr().err == "ratls-ls: runs on Linux, and on Windows in WSL\n"


async def test_output_that_cannot_be_written_is_2(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    async with started(tmp_path, "schema", stdout=full) as process:
        os.close(full)
        _, errors = await process.communicate()
        assert process.returncode == 2
        assert errors.startswith(b"ratls-ls: cannot go on: ")
        assert errors.count(b"\n") == 1


async def test_trust_is_named_before_the_command_too(tmp_path: Path) -> None:
    before = ["--ca-file", str(tmp_path / "absent.pem"), "check", "--live", "-"]
    async with started(tmp_path, *before) as process:
        _, errors = await process.communicate(b"")
        assert process.returncode == 2
        assert b"cannot read TLS roots" in errors


def test_how_settings_are_taken_is_no_matter_of_a_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["--only-stricter-settings", "schema"])
    assert ended.value.code == 2
    assert "the language server takes no command such as schema" in capsys.readouterr().err


ENDLESS = {
    "check": "check FILE",
    "config": "attest tee --config FILE",
    "roots": "check --live --ca-file FILE good.toml",
    "dcap-root": "check --live --unsafe-root-ca FILE good.toml",
    "quote": "appraise --quote FILE --collateral good.toml",
    "body": "request tee /models --data @FILE",
}


@pytest.mark.parametrize("line", ENDLESS.values(), ids=list(ENDLESS))
def test_a_file_without_an_end_is_2(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    for name in ("good.toml", "config.toml"):
        Path(name).write_text(ATTESTED, "utf-8")
    assert _ended(line.replace("FILE", "/dev/zero").split()) == 2
    assert re.search("/dev/zero: larger than 16 MiB$", capsys.readouterr().err, re.MULTILINE)


async def test_stdin_without_an_end_is_2(tmp_path: Path) -> None:
    async with started(tmp_path, "check", "-") as process:
        assert process.stdin is not None
        process.stdin.write(bytes(16 * 1024 * 1024 + 1))
        assert process.stderr is not None
        assert await process.stderr.read() == b"ratls-ls: cannot read stdin: larger than 16 MiB\n"
        assert await process.wait() == 2


async def test_a_pipe_is_read_as_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    async with started(tmp_path, "check", pipe) as process:
        await asyncio.to_thread(pipe.write_text, ATTESTED, "utf-8")
        out, _ = await process.communicate()
        assert process.returncode == 0
        assert b"[no-measurement-pinned]" in out
