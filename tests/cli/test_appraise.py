"""`ratls-ls appraise` on real evidence: the recorded status and registers, and the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ratls_ls.cli.main import run
from tests.vectors import DIRECTORY, Vector, edited_logs, needed, vectors

pytestmark = needed
CASES = [
    pytest.param(vector, entry, id=f"{vector.name}-{entry['verify_at']}")
    for vector in vectors()
    for entry in vector.collaterals
]
# 00 is as it was; 06 has no digests, 09 upper-case hex; in 04 the relabelled boot event is ignored.
SOUND = ("00", "04", "06", "09")
EDITED = DIRECTORY / "real" / "mpc-quote-b9e238b2"


def arguments(vector: Vector, entry: dict[str, Any], log: Path | None) -> list[str]:
    given = [
        *("--quote", vector.directory / "quote.bin"),
        *("--collateral", vector.directory / entry["file"]),
        *("--at", entry["verify_at"]),
        *(("--event-log", log) if log is not None else ()),
    ]
    return ["appraise", "--json", *map(str, given)]


def appraised(
    capsys: pytest.CaptureFixture[str], given: list[str]
) -> tuple[int, dict[str, Any], dict[str, str]]:
    code = run(given)
    result = json.loads(capsys.readouterr().out)
    return code, result, {claim["name"]: claim["verdict"] for claim in result["claims"]}


@pytest.mark.parametrize(("vector", "entry"), CASES)
def test_every_quote(
    vector: Vector, entry: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    log = vector.directory / "event_log.json" if vector.event_log else None
    code, result, claims = appraised(capsys, arguments(vector, entry, log))
    assert result["offline"] is True
    assert claims["tls"] == claims["channel-binding"] == "not-required"
    if entry["status"].startswith("ERROR"):
        assert code == 1
        assert "failed" in claims.values()
        return
    assert result["tcbStatus"] == entry["status"]
    assert (code == 0) == (entry["status"] == "UpToDate")
    expected = vector.meta["expected"]
    assert result["measurements"]["mrtd"] == expected["mr_td"]
    for index in range(4):
        assert result["measurements"][f"rtmr{index}"] == expected[f"rt_mr{index}"]


@pytest.mark.parametrize("log", edited_logs(), ids=lambda path: path.stem)
def test_every_edited_log(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vector = Vector(EDITED)
    code, _, claims = appraised(capsys, arguments(vector, vector.collaterals[0], log))
    sound = log.name[:2] in SOUND
    assert claims["event-log"] == ("passed" if sound else "failed")
    assert code == (0 if sound else 1)


def test_the_program_itself() -> None:
    vector = Vector(EDITED)
    given = arguments(vector, vector.collaterals[0], EDITED / "event_log.json")
    given.remove("--json")
    compose = ["--app-compose", str(EDITED / "app_compose.json")]
    done = subprocess.run(
        [sys.executable, "-m", "ratls_ls", *given, *compose],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "affirmed" in done.stdout
    assert "SIMULATED" not in done.stdout
