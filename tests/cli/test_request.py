"""`ratls-ls request` as a person and a script use it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ratls_ls.simulator import OpenAi, SimulatedProvider
from ratls_ls.simulator.http import Request, Response
from tests.e2e.editor import configured, trust

from .program import on_terminal, piped, started


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
        assert process.returncode == 0
        assert errors == b"ratls-ls: SIMULATED: rests on a root that is not Intel's\n"
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


class Escapes(OpenAi):
    """Answers with what a terminal would obey."""

    async def respond(self, request: Request) -> Response | None:
        return Response(200, [], "\x1b]52;c;eA==\x07\u202eGrüße\n".encode())


async def test_a_terminal_obeys_nothing_in_an_answer(tmp_path: Path) -> None:
    async with configured(tmp_path, api=Escapes()) as provider:
        arguments = ["request", *trust(provider, tmp_path), "tee", "/models"]
        assert "\x1b]52;c;eA==\x07\u202eGrüße\n" in (await piped(tmp_path, *arguments)).out
        shown = (await on_terminal(tmp_path, *arguments)).out
        assert shown == "\ufffd]52;c;eA==\ufffd\ufffdGrüße\r\n"


async def test_a_header_is_sent_as_often_as_it_is_given(
    request_tee: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    headers = ["-H", "X-Tag: a", "-H", "X-Tag: b", "-H", "accept: text/plain"]
    assert (await piped(tmp_path, *request_tee, "/models", *headers)).code == 0
    sent = [name.lower() for name in provider.record.requests[-1].header_names]
    assert (sent.count("x-tag"), sent.count("accept")) == (2, 1)


async def test_a_simulated_root_is_said(
    request_tee: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    assert "SIMULATED" in (await piped(tmp_path, *request_tee, "/models")).errors
    provider.set_faults(["debug-td"])
    assert "SIMULATED" in (await piped(tmp_path, *request_tee, "/models")).errors


async def test_a_body_goes_out_as_its_bytes(
    request_tee: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    ran = await piped(tmp_path, *request_tee, "/responses", "-d", os.fsdecode(b"\xff"))
    assert "Traceback" not in ran.errors
    assert provider.record.requests[-1].body == b"\xff"
    ran = await piped(tmp_path, *request_tee, os.fsdecode(b"/\xff"))
    assert (ran.code, ran.errors) == (2, "ratls-ls: path has control characters\n")
