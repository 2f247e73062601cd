"""The audit log, and what the real command makes of the evidence in it."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ratls_ls import audit
from ratls_ls.lsp import methods
from ratls_ls.simulator import OpenAi, SimulatedProvider, serve
from tests.pipes import lonely_pipe

from .world import World, a_world, play, refused, replaying

ON = {"audit": {"enabled": True}}
SECRETS = ("sk-canary", "prompt-canary", "answer-canary", "header-canary", "query-canary")


def lines(home: Path) -> list[dict[str, Any]]:
    text = (home / ".state" / "ratls-ls" / "audit" / "audit.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


async def test_who_asked_is_named_where_several_share_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=ON) as world:
        world.write("\n".join(map(provider.config_toml, "ab")))
        for asker in "aba":
            await world.request(asker)
            await provider.close_connections()
        found = [line["provider"] for line in lines(tmp_path) if line["event"] == "attestation"]
        assert found == ["a", "b", "a"]


async def test_one_line_for_each_attestation_and_each_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serve(api=OpenAi(reply="answer-canary")) as provider,
        a_world(
            tmp_path,
            monkeypatch,
            trusting=[provider],
            settings=ON,
            environment={"KEY": "sk-canary"},
        ) as world,
    ):
        world.write(provider.config_toml("tee", env_key="KEY"))
        body = {"input": "prompt-canary"}
        for _ in range(2):
            await world.request(
                path="/responses",
                body=body,
                headers={"X-Canary": "header-canary"},
                query={"q": "query-canary"},
            )
        play(provider, monkeypatch, replaying)
        await provider.close_connections()
        await refused(world.request(path="/responses", body=body))
        provider.set_faults()
        cancelled = asyncio.ensure_future(world.request(path="/test/held-events", parts=[]))
        await provider.record.wait_for(lambda record: len(record.connections) == 3)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        found = lines(tmp_path)
        assert [(line["event"], line.get("verdict")) for line in found[:4]] == [
            ("attestation", "affirmed"),
            ("request", None),
            ("request", None),
            ("attestation", "rejected"),
        ]
        origin = f"https://localhost:{provider.port}"
        assert {(line["provider"], line["origin"]) for line in found} == {("tee", origin)}
        affirmed, first, second, rejected, failed = found[:5]
        assert first["status"] == second["status"] == 200
        assert first["evidenceSha256"] == second["evidenceSha256"] == affirmed["evidenceSha256"]
        assert failed["error"] == methods.ATTESTATION_REJECTED
        assert found[-1]["error"] == methods.REQUEST_CANCELLED
        assert len(affirmed["claims"]) == 10
        assert affirmed["simulated"] is True
        assert len(affirmed["collateralSha256"]) == 64
        assert rejected["evidenceSha256"] != affirmed["evidenceSha256"]
        for file in (tmp_path / ".state").rglob("*"):
            assert stat.S_IMODE(file.stat().st_mode) == (0o700 if file.is_dir() else 0o600)
            if file.is_file():
                assert not any(secret.encode() in file.read_bytes() for secret in SECRETS)


@pytest.mark.parametrize("verdict", ["affirmed", "rejected"])
async def test_stored_evidence_can_be_judged_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider, verdict: str
) -> None:
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=ON) as world:
        pins = {"os_image_hash": "00" * 32} if verdict == "rejected" else {}
        world.open(provider.config_toml("tee", **pins))
        await world.state("tee", verdict)
        (line,) = lines(tmp_path)
        evidence = tmp_path / ".state/ratls-ls/audit/evidence" / line["evidenceSha256"]
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ratls_ls", "appraise", "--json"),
            *("--quote", evidence / "quote.bin"),
            *("--collateral", evidence / "collateral.json"),
            *("--event-log", evidence / "event_log.json"),
            *("--config", world.config, "--provider", "tee", "--at", line["time"]),
            *("--unsafe-root-ca", tmp_path / "dcap-root.pem"),
            stdout=subprocess.PIPE,
        )
        output, _ = await command.communicate()
        again = json.loads(output)
        assert command.returncode == (0 if verdict == "affirmed" else 1)
        assert (again["verdict"], again["offline"]) == (verdict, True)
        assert again["evidenceSha256"] == line["evidenceSha256"]
        assert again["appraisedAt"] == line["time"]
        live = {"tls", "freshness", "channel-binding"}
        assert [claim for claim in again["claims"] if claim["name"] not in live] == [
            claim for claim in line["claims"] if claim["name"] not in live
        ]


async def test_nothing_is_written_unless_asked_for(
    world: World, provider: SimulatedProvider
) -> None:
    world.write(provider.config_toml("tee"))
    await world.request()
    assert not (world.home / ".state/ratls-ls/audit").exists()


async def test_evidence_is_bounded_in_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=ON) as world:
        uri = world.open(provider.config_toml("tee"))
        kept = tmp_path / ".state/ratls-ls/audit/evidence"

        async def left(times: int) -> list[str]:
            for _ in range(times):
                await world.session.attest(uri, "tee")
            return [entry.name for entry in kept.iterdir()]

        (first,) = await left(1)
        size = sum(file.stat().st_size for file in (kept / first).iterdir())
        monkeypatch.setattr(audit, "MAX_EVIDENCE_BYTES", size * 5 // 2)
        assert len(await left(5)) == 2
        monkeypatch.setattr(audit, "MAX_EVIDENCE_BYTES", 1)
        assert await left(1) == [lines(tmp_path)[-1]["evidenceSha256"]]


async def test_logs_are_rotated_and_evidence_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    monkeypatch.setattr(audit, "MAX_LOG_BYTES", 3000)
    monkeypatch.setattr(audit, "MAX_EVIDENCE", 3)
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=ON) as world:
        uri = world.open(provider.config_toml("tee"))
        for _ in range(20):
            await world.session.attest(uri, "tee")
        directory = tmp_path / ".state/ratls-ls/audit"
        logs = sorted(file.name for file in directory.glob("*.jsonl"))
        assert logs == ["audit.1.jsonl", "audit.2.jsonl", "audit.3.jsonl", "audit.4.jsonl",
                        "audit.jsonl"]  # fmt: skip
        assert all(file.stat().st_size < 6000 for file in directory.glob("*.jsonl"))
        newest = [line["evidenceSha256"] for line in lines(tmp_path)][-1]
        kept = [entry.name for entry in (directory / "evidence").iterdir()]
        assert len(kept) == 3
        assert newest in kept


@pytest.mark.parametrize("place", [".state/ratls-ls", ".state/ratls-ls/audit/audit.jsonl"])
async def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider, place: str
) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    with lonely_pipe(tmp_path / place):
        async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=ON) as world:
            world.write(provider.config_toml("tee"))
            for _ in range(2):
                assert (await world.request())["status"] == 200
            assert len(world.complaints) == 1
            assert "audit log" in world.complaints[0]


def test_windows_that_rotate_at_once_lose_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MAX_LOG_BYTES", 1000)
    monkeypatch.setattr(audit, "OLD_LOGS", 1000)

    def window(name: str) -> None:
        log = audit.Audit(tmp_path, pytest.fail)
        for number in range(200):
            log.request(1, f"{name}{number}", "https://tee.example", "e" * 64, 200)

    with ThreadPoolExecutor() as windows:
        list(windows.map(window, "ab"))
    found = [line for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(found) == 400


def test_a_log_that_cannot_be_rotated_is_written_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MAX_LOG_BYTES", 1)
    monkeypatch.setattr(audit, "OLD_LOGS", 1)
    (tmp_path / "audit.1.jsonl").mkdir()
    told: list[str] = []
    log = audit.Audit(tmp_path, told.append)
    for _ in range(3):
        log.request(1, "tee", "https://tee.example", None, 200)
    assert len((tmp_path / "audit.jsonl").read_text("utf-8").splitlines()) == 3
    assert len(told) == 1
