"""`ratls-ls request` as a person and a script use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ratls_ls.simulator import SimulatedProvider

from .program import piped, started


@pytest.fixture
def request_tee(trusting: list[str | Path]) -> list[str | Path]:
    return ["request", *trusting, "tee"]


async def test_the_answer_is_written_as_it_comes(
    request_tee: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    async with started(tmp_path, *request_tee, "/test/held-events") as process:
        assert process.stdout is not None
        first = await process.stdout.readuntil(b"\n\n")
        assert first.startswith(b"data: ")
        assert not provider.gate.is_set()
        provider.gate.set()
        assert b"data: " in await process.stdout.read()
        assert await process.wait() == 0


async def test_a_prompt_comes_from_stdin(
    request_tee: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    prompt = {"model": "simulated-llm", "input": "Grüße"}
    async with started(tmp_path, *request_tee, "/responses", "-d", "@-") as process:
        out, errors = await process.communicate(json.dumps(prompt).encode())
        assert (process.returncode, errors) == (0, b"")
    assert json.loads(out)["status"] == "completed"
    assert json.loads(provider.record.requests[-1].body) == prompt


async def test_what_is_not_attested_gets_nothing(
    request_tee: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    provider.set_faults(["relay"])
    ran = await piped(tmp_path, *request_tee, "/responses", "--data", '{"input": "secret"}')
    assert (ran.code, ran.out) == (1, "")
    assert "attestation rejected: freshness: " in ran.errors
    assert ran.errors.endswith("; nothing was sent\n")
    assert provider.record.api_bytes == 0
