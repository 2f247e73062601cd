"""The demo: what it tells happened, and what it counts was counted."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ratls_ls.cli.demo.screen import Screen
from ratls_ls.cli.demo.story import PROMPT, story
from ratls_ls.config.check import check
from ratls_ls.config.read import read
from ratls_ls.simulator import OpenAi, RecordedConnection

Events = list[dict[str, Any]]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ratls_ls", "demo", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def events() -> Events:
    finished = run("--json")
    assert (finished.returncode, finished.stderr) == (0, "")
    return [json.loads(line) for line in finished.stdout.splitlines()]


def named(events: Events, name: str) -> Events:
    return [event for event in events if event["event"] == name]


def test_the_story_is_told_in_order(events: Events) -> None:
    names = [event["event"] for event in events]
    assert list(dict.fromkeys(names)) == [
        "provider",
        "opened",
        "problem",
        "saved",
        "status",
        "prompt",
        "token",
        "answered",
        "received",
        "attack",
        "refused",
        "end",
    ]


def test_the_faulty_policy_is_shown_as_in_an_editor(events: Events) -> None:
    problems = named(events, "problem")
    assert {"unknown-tcb-status", "revoked-allowed", "unknown-key", "short-measurement"} <= {
        problem["code"] for problem in problems
    }
    [revoked] = [problem for problem in problems if problem["code"] == "revoked-allowed"]
    [opened] = named(events, "opened")
    start, end = revoked["range"]["start"], revoked["range"]["end"]
    line = opened["text"].splitlines()[start["line"]]
    assert line[start["character"] : end["character"]] == '"Revoked"'


def test_the_fixed_policy_is_attested(events: Events) -> None:
    [status] = named(events, "status")
    assert (status["state"], status["result"]["simulated"]) == ("affirmed", True)
    assert status["result"]["channelBinding"] == "tls-exporter"
    assert "SIMULATED" in status["message"]
    [saved] = named(events, "saved")
    assert {problem.code for problem in check(read(saved["text"]))} == {"extension-key"}


def test_the_prompt_is_answered_token_by_token(events: Events) -> None:
    tokens = [event["text"] for event in named(events, "token")]
    assert len(tokens) > 5
    assert "".join(tokens) == OpenAi().reply
    [answered] = named(events, "answered")
    assert answered["status"] == 200


def test_the_attacked_provider_gets_nothing(events: Events) -> None:
    [refused] = named(events, "refused")
    failed = [claim for claim in refused["result"]["claims"] if claim["verdict"] == "failed"]
    assert refused["code"] == -32010
    assert "channel-binding" in [claim["name"] for claim in failed]
    assert all(claim["reason"] for claim in failed)
    honest, attacked = named(events, "received")
    assert honest["promptBytes"] > len(PROMPT)
    assert honest["apiBytes"] > honest["promptBytes"]
    assert (attacked["apiBytes"], attacked["promptBytes"]) == (0, 0)
    assert attacked["quoteRequests"] == attacked["connections"] == 1


async def test_the_numbers_are_those_of_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecordedConnection, "api_bytes", property(lambda _: 1234))
    monkeypatch.setattr(RecordedConnection, "prompt_bytes", property(lambda _: 567))
    received = [event async for event in story(tmp_path, 0.0) if event["event"] == "received"]
    assert [(event["apiBytes"], event["promptBytes"]) for event in received] == [(1234, 567)] * 2


@pytest.mark.parametrize("colour", [True, False])
def test_the_screen_shows_what_was_told(events: Events, colour: bool) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=100, force_terminal=colour, no_color=not colour)
    screen = Screen(console, hurried=True)
    for event in events:
        screen.tell(event)
    shown = stream.getvalue()
    assert ("\x1b[" in shown) is colour
    if not colour:
        for text in ("[revoked-allowed]", "^^^^^^^^^", "Attested: SIMULATED", OpenAi().reply):
            assert text in shown
        assert "✗ channel-binding" in shown
        assert "received 0 bytes of the prompt" in shown


def test_piped_it_is_plain_text() -> None:
    finished = run()
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "\x1b" not in finished.stdout
    assert "received 0 bytes of the prompt" in finished.stdout


def test_a_reader_that_leaves_ends_it() -> None:
    command = [sys.executable, "-m", "ratls_ls", "demo", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 2
