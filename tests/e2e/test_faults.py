"""Every fault a server can play, through `attestedRequest` in one real server.

Each: the right code, the right failed claim or step, inside its deadline, and, where the server
was not attested, not one decrypted byte but whole quote requests. The good provider beside it is
served after each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from ratls_ls.simulator import FAULTS, Fault, SimulatedProvider, serve
from ratls_ls.simulator.faults import binding

from .editor import Editor, editor, refused, trust

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMPT = {"model": "simulated-llm", "messages": [{"content": "canary"}], "stream": True}
# Long enough for a busy machine, and all that a fault which hangs may take.
HANGING_MS = 700
ANSWER_SECONDS = 10.0


@dataclass
class Scene:
    """One server; a provider that plays faults, and a good one beside it."""

    editor: Editor
    good: SimulatedProvider
    config: Path

    async def ask(self, provider: str, timeout_ms: int | None = None) -> Any:
        params = {
            "uri": self.config.as_uri(),
            "provider": provider,
            "path": "/chat/completions",
            "body": PROMPT,
            "partialResultToken": provider,
        }
        if timeout_ms is not None:
            params["timeoutMs"] = timeout_ms
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self.editor.request("attestedRequest", params)

    async def forget(self) -> None:
        """A port that comes again must not find the collateral of the one that had it before."""
        params = types.ExecuteCommandParams("ratls.clearCache", [])
        await self.editor.workspace_execute_command_async(params)

    def play(self, faulty: SimulatedProvider, *, pinned: bool = True) -> None:
        """From the next request on the config names this provider, too."""
        told = faulty.config_toml("faulty", pinned=pinned)
        self.config.write_text(told + "\n" + self.good.config_toml("good"))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    home = tmp_path_factory.mktemp("home")
    config = home / "config.toml"
    async with (
        serve() as good,
        editor(
            home, arguments=trust(good, home), settings={"attestation": {"trigger": "manual"}}
        ) as ls,
    ):
        scene = Scene(ls, good, config)
        scene.play(good)
        # From here on an assessment by Intel older than this one is a roll-back.
        await scene.ask("good")
        yield scene


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_fault(fault: Fault, scene: Scene) -> None:
    async with serve(faults=[fault.name]) as faulty:
        scene.play(faulty)
        await scene.forget()
        asked = scene.ask("faulty", HANGING_MS if fault.hangs else None)
        if fault.expects_code is None:
            assert (await asked)["status"] == fault.expects_status
        else:
            error = await refused(asked)
            assert error.code == fault.expects_code, error.message
            _check(fault, error)
        if fault.before_attestation:
            assert faulty.record.connections or fault.expects_step == "tcp"
            assert faulty.record.api_bytes == 0
        assert (await scene.ask("good"))["complete"] is True


HARMLESS = {name: fault for name, fault in FAULTS.items() if fault.expects_code is None}


@pytest.mark.parametrize("fault", HARMLESS.values(), ids=HARMLESS)
async def test_the_next_prompt_is_answered_like_the_first(fault: Fault, scene: Scene) -> None:
    """Whatever an answer left behind is none to it."""
    async with serve(faults=[fault.name]) as faulty:
        scene.play(faulty)
        await scene.forget()
        answers = []
        for _ in range(2):
            scene.editor.parts.pop("faulty", None)
            status = (await scene.ask("faulty"))["status"]
            kinds = [part["kind"] for part in scene.editor.parts["faulty"]]
            answers.append((status, set(kinds)))
        assert answers[0] == answers[1]


OF_ANOTHER_SESSION = {
    name: fault
    for name, fault in FAULTS.items()
    if fault.play.__module__ == binding.__name__ and fault.before_attestation
}


@pytest.mark.parametrize("fault", OF_ANOTHER_SESSION.values(), ids=OF_ANOTHER_SESSION)
async def test_another_session_is_refused_whatever_is_pinned(fault: Fault, scene: Scene) -> None:
    async with serve(faults=[fault.name]) as faulty:
        scene.play(faulty, pinned=False)
        await scene.forget()
        error = await refused(scene.ask("faulty"))
        assert error.code == fault.expects_code, error.message
        _check(fault, error)
        assert faulty.record.api_bytes == 0


def _check(fault: Fault, error: JsonRpcException) -> None:
    data: Any = error.data
    assert "canary" not in error.message
    if fault.expects_claim is not None:
        assert data["verdict"] == "rejected"
        failed = [claim["name"] for claim in data["claims"] if claim["verdict"] == "failed"]
        assert fault.expects_claim.value in failed, data["claims"]
        assert all(claim.get("reason") for claim in data["claims"] if claim["name"] in failed)
    if fault.expects_step is not None:
        assert data["step"] == fault.expects_step, error.message
    if fault.expects_code == -32015:
        assert data["received"] >= 0
