"""What a soak plays with: a good provider, one that attacks, the server, and its clock.

Invariant: whatever an attacker's instance received while it lived was no byte of a prompt.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol import types

from ratls_ls.simulator import FAULTS, Fault, SimulatedProvider, serve
from tests.e2e.editor import Editor, started, trust

ENOUGH_SECONDS = 20.0
GOOD, ATTACKER = "good", "attacker"
SETTINGS = {"attestation": {"trigger": "manual"}}
STATUSES = ['"UpToDate"', '"UpToDate", "SWHardeningNeeded"', '"SWHardeningNeeded", "UpToDate"']


class SoakError(AssertionError):
    """Something that must never happen did."""


@dataclass
class Scene:
    """`unrest` counts the beginnings and ends of what may make a good request fail; `troubles`
    are those under way. `outcomes`: how requests ended."""

    home: Path
    good: SimulatedProvider
    editor: Editor = field(init=False)
    attacker: SimulatedProvider = field(init=False)
    fault: Fault = field(init=False)
    unrest: int = 0
    troubles: int = 0
    finished: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    _attackers: AsyncExitStack = field(default_factory=AsyncExitStack)
    _policy: int = 0
    _progress: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def config(self) -> Path:
        return self.home / ".codex" / "config.toml"

    @property
    def clock(self) -> Path:
        return self.home / "clock"

    def count(self, outcome: str) -> None:
        self.outcomes[outcome] += 1
        self.finished += 1
        self._progress.set()
        self._progress = asyncio.Event()

    async def until_finished(self, more: int) -> None:
        """Return when so many more requests have ended."""
        until = self.finished + more
        while self.finished < until:
            await self._progress.wait()

    def write_config(self) -> None:
        """Under one of several policies, all of which admit the good provider."""
        texts = (self.good.config_toml(GOOD), self.attacker.config_toml(ATTACKER))
        allowed = STATUSES[self._policy % len(STATUSES)]
        text = "\n".join(texts).replace('"UpToDate"', allowed)
        new = self.config.with_suffix(".new")
        new.write_text(text, "utf-8")
        new.replace(self.config)

    def edit_policy(self) -> None:
        self._policy += 1
        self.write_config()

    def set_clock(self, seconds_ahead: float) -> None:
        new = self.clock.with_suffix(".new")
        new.write_text(str(seconds_ahead), "ascii")
        new.replace(self.clock)

    async def calm_down(self) -> None:
        """End whatever a disturbance that was broken off has left."""
        self.set_clock(0)
        await self.good.stop()
        await self.start_provider()
        self.troubles = 0

    async def start_provider(self) -> None:
        """Where it was, unless somebody else is there now; its PCCS is elsewhere in any case."""
        try:
            await self.good.start(self.good.port)
        except OSError:
            await self.good.start()
        self.write_config()

    async def attack_by(self, fault: Fault) -> None:
        """Another instance of the attacker; what the last one saw is held against it."""
        await self.end_attack()
        self.attacker = await self._attackers.enter_async_context(serve(faults=[fault.name]))
        self.fault = fault
        # A port that comes again must not find the collateral of the one that had it before.
        if hasattr(self, "editor"):
            await self.clear_cache()
        self.write_config()

    async def clear_cache(self) -> None:
        """A disturbance that is broken off meanwhile does not take the request with it: pygls ends
        a client who gets an answer that nobody waits for."""
        params = types.ExecuteCommandParams("ratls.clearCache", [])
        await asyncio.shield(self.editor.workspace_execute_command_async(params))

    async def end_attack(self) -> None:
        await self._attackers.aclose()
        if not hasattr(self, "fault") or not self.fault.before_attestation:
            return
        if leaked := self.attacker.record.api_bytes:
            raise SoakError(f"{self.fault.name} saw {leaked} bytes that were not for it")

    async def start_server(self) -> Process:
        self.editor = await started(
            self.home,
            arguments=trust(self.good, self.home),
            settings=SETTINGS,
            program=(Path(__file__).with_name("server.py"), self.clock),
        )
        return Process(self.editor.pid)

    async def end_server(self) -> None:
        async with asyncio.timeout(ENOUGH_SECONDS):
            await self.editor.shutdown_session()
            await self.editor.stop()

    async def kill_server(self) -> None:
        """As a machine that has no memory left does."""
        os.kill(self.editor.pid, signal.SIGKILL)
        await self.editor.stop()


@dataclass(frozen=True, slots=True)
class State:
    """What a process holds of its machine."""

    resident_bytes: int
    descriptors: int

    def __str__(self) -> str:
        return f"{self.resident_bytes / 2**20:.0f} MiB, {self.descriptors} descriptors"


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine (Linux)."""

    pid: int

    def now(self) -> State:
        directory = Path(f"/proc/{self.pid}")
        found = re.search(r"VmRSS:\s*(\d+) kB", (directory / "status").read_text("ascii"))
        assert found is not None
        return State(int(found[1]) * 1024, len(list((directory / "fd").iterdir())))


def faults() -> list[Fault]:
    """Those that an attacker may play for long: none that only ends by a deadline."""
    return [fault for fault in FAULTS.values() if not fault.hangs]
