"""When the monitor looks again, by a clock of its own and with no network."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ratls_ls import monitor as monitors
from ratls_ls.atls.errors import AttestationRejectedError, Step, UnreachableError
from ratls_ls.atls.pccs import CollateralStore
from ratls_ls.atls.verifier import Verifier
from ratls_ls.config.model import Peer, Provider
from ratls_ls.monitor import Monitor
from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.policy import AppraisalPolicy
from ratls_ls.rats.result import AttestationResult, Claim, ClaimName, ClaimVerdict
from ratls_ls.status import State
from tests.rats.world import LIVE

MINUTE = 60.0


def provider(name: str, **policy: Any) -> Provider:
    return Provider(name, f"https://{name}.example/v1", AppraisalPolicy(**policy))


@dataclass
class Net:
    """Clients without a network: each check ends as `ends` says, when `gate` is open. `passed`: the
    seconds by which the event loop's time is ahead."""

    now: float = 1_000_000.0
    passed: float = 0.0
    ends: dict[str, str] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    running: int = 0
    most: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    monitor: Monitor = field(init=False)

    def __post_init__(self) -> None:
        self.gate.set()

    def get(self, provider: Provider) -> Any:
        return _Client(self, provider)

    def retire(self, peer: Peer) -> None:
        self.retired.append(peer.host)

    def on_change(self, _: Peer) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def until(self, found: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not found():
                await self.changed.wait()

    async def later(self, seconds: float) -> None:
        """The clock goes on, or back, and no more than the longest nap passes meanwhile."""
        self.now += seconds
        self.passed += monitors.LONGEST_NAP_SECONDS
        for _ in range(20):
            await asyncio.sleep(0)


@dataclass
class _Client:
    net: Net
    provider: Provider

    async def attest(self) -> None:
        net = self.net
        net.checked.append(self.provider.host)
        net.running += 1
        net.most = max(net.most, net.running)
        try:
            await net.gate.wait()
        finally:
            net.running -= 1
        match net.ends.get(self.provider.host):
            case None:
                net.monitor.attested(self.provider.peer, attestation(self.provider, net.now))
            case "rejected":
                refused = attestation(self.provider, net.now, ClaimVerdict.FAILED)
                net.monitor.attested(self.provider.peer, refused)
                raise AttestationRejectedError(refused.result)
            case "unreachable":
                raise UnreachableError(Step.TCP, self.provider.host, "nobody is there")
            case other:
                raise RuntimeError(other)


def attestation(
    provider: Provider, now: float, verdict: ClaimVerdict = ClaimVerdict.PASSED
) -> Attestation:
    claims = tuple(Claim(name, verdict) for name in ClaimName)
    result = AttestationResult(claims, provider.origin, int(now))
    return Attestation(result, EvidenceError(ClaimName.QUOTE_FORMAT, "none"), None, LIVE)


def net(refresh_minutes: float = 15, max_age_minutes: float = 30) -> Net:
    made = Net()
    loop = asyncio.get_running_loop()
    time = loop.time
    loop.time = lambda: time() + made.passed  # type: ignore[method-assign]
    verifier = Verifier(
        CollateralStore(None), clock=lambda: made.now, max_age_seconds=max_age_minutes * MINUTE
    )
    made.monitor = Monitor(
        made,  # type: ignore[arg-type]
        verifier,
        made.on_change,
        refresh_seconds=refresh_minutes * MINUTE,
    )
    return made


async def checked(made: Net, *providers: Provider, unasked: bool = True) -> None:
    """All in one saved document, each checked once."""
    made.monitor.watch("a", providers, saved=True, unasked=unasked)
    for each in providers:
        await asyncio.gather(made.monitor.check(each), return_exceptions=True)


A, B = provider("a"), provider("b")


async def test_refreshed_by_interval_give_or_take(monkeypatch: pytest.MonkeyPatch) -> None:
    made = net(refresh_minutes=15)
    monkeypatch.setattr(random, "uniform", lambda _, most: most)
    await checked(made, A)
    await made.later(17.9 * MINUTE)
    assert made.checked == ["a.example"]
    await made.later(0.2 * MINUTE)
    assert made.checked == ["a.example"] * 2
    await made.later(18.1 * MINUTE)
    assert made.checked == ["a.example"] * 3


async def test_the_soonest_is_a_fifth_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    made = net(refresh_minutes=15)
    monkeypatch.setattr(random, "uniform", lambda least, _: least)
    await checked(made, A)
    await made.later(11.9 * MINUTE)
    assert made.checked == ["a.example"]
    await made.later(0.2 * MINUTE)
    assert made.checked == ["a.example"] * 2


async def test_a_machine_that_slept_looks_at_once() -> None:
    made = net()
    await checked(made, A)
    await made.later(9 * 60 * MINUTE)
    assert made.checked == ["a.example"] * 2


async def test_a_clock_that_is_set_back_puts_nothing_off() -> None:
    made = net()
    await checked(made, A)
    await made.later(-24 * 60 * MINUTE)
    assert made.checked == ["a.example"] * 2


@pytest.mark.parametrize("refresh", [0, 15])
async def test_unasked_only_what_may_be(refresh: float) -> None:
    made = net(refresh_minutes=refresh)
    await checked(made, A, unasked=refresh == 0)
    await made.later(24 * 60 * MINUTE)
    assert made.checked == ["a.example"]
    assert made.monitor.status(A.peer).state is State.STALE


async def test_what_is_being_edited_is_not_refreshed() -> None:
    made = net()
    await checked(made, A)
    made.monitor.watch("a", [A], saved=False, unasked=False)
    await made.later(24 * 60 * MINUTE)
    assert made.checked == ["a.example"]


async def test_what_is_as_it_was_again_is_refreshed() -> None:
    made = net()
    await checked(made, A)
    made.monitor.watch("a", [A], saved=False, unasked=False)
    await made.later(24 * 60 * MINUTE)
    made.monitor.watch("a", [A], saved=True, unasked=True)
    await made.until(lambda: len(made.checked) == 2)


async def test_what_comes_back_is_known_and_no_guess() -> None:
    made = net()
    await checked(made, A)
    made.monitor.unwatch("a")
    made.monitor.watch("a", [A], saved=True, unasked=True)
    status = made.monitor.status(A.peer)
    assert (status.state, status.what_if) == (State.AFFIRMED, False)
    other = provider("a", grace_period=1)
    made.monitor.watch("a", [other], saved=True, unasked=True)
    assert made.monitor.status(other.peer).what_if


async def test_failures_are_backed_off(monkeypatch: pytest.MonkeyPatch) -> None:
    made = net(refresh_minutes=15)
    monkeypatch.setattr(random, "uniform", lambda *_: 1.0)
    made.ends["a.example"] = "unreachable"
    await checked(made, A)
    for count, seconds in enumerate((15, 30, 60, 120, 240, 480, 900, 900), start=1):
        assert len(made.checked) == count
        await made.later(seconds - 1)
        assert len(made.checked) == count
        await made.later(1)
    assert made.monitor.status(A.peer).state is State.UNREACHABLE


async def test_when_one_comes_back_the_others_are_tried() -> None:
    made = net()
    made.ends = {"a.example": "unreachable", "b.example": "unreachable"}
    await checked(made, A, B)
    made.ends.clear()
    made.checked.clear()
    await made.monitor.check(A)
    await made.later(0)
    assert made.checked == ["a.example", "b.example"]
    assert made.monitor.status(B.peer).state is State.AFFIRMED


async def test_what_cannot_be_reached_counts_as_checked() -> None:
    made = net()
    made.ends["a.example"] = "unreachable"
    assert not made.monitor.is_known(A.peer)
    await checked(made, A)
    assert made.monitor.is_known(A.peer)


async def test_an_earlier_result_turns_stale_and_is_not_lost() -> None:
    made = net()
    await checked(made, A)
    made.ends["a.example"] = "unreachable"
    await made.monitor.check(A)
    status = made.monitor.status(A.peer)
    assert (status.state, status.error and status.error.code) == (
        State.STALE,
        "unreachable-tcp",
    )
    assert status.result is not None


async def test_a_clock_that_is_set_back_keeps_nothing_fresh_for_ever() -> None:
    made = net(refresh_minutes=0, max_age_minutes=30)
    await checked(made, A)
    assert made.monitor.verified(A.origin) is not None
    await made.later(-29 * MINUTE)
    assert made.monitor.status(A.peer).state is State.AFFIRMED
    await made.later(-2 * MINUTE)
    assert made.monitor.status(A.peer).state is State.STALE
    assert made.monitor.verified(A.origin) is None


async def test_an_internal_error_is_shown_and_affirms_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = net()
    made.ends["a.example"] = "a secret"
    await checked(made, A)
    status = made.monitor.status(A.peer)
    assert status.state is State.UNREACHABLE
    assert status.error is not None
    assert status.error.message == "internal error (RuntimeError); please report it"
    assert "a secret" not in caplog.text


async def test_measurements_are_those_of_what_was_just_affirmed() -> None:
    made = net(refresh_minutes=0)
    await checked(made, A)
    made.now += 30 * MINUTE
    assert made.monitor.verified(A.origin) is not None
    made.now += 1
    assert made.monitor.verified(A.origin) is None
    made.ends["a.example"] = "rejected"
    await made.monitor.check(A)
    assert made.monitor.status(A.peer).state is State.REJECTED
    assert made.monitor.verified(A.origin) is None


async def test_an_edited_policy_is_judged_by_old_evidence_as_old() -> None:
    made = net(refresh_minutes=0)
    await checked(made, A)
    made.now += 24 * 60 * MINUTE
    other = provider("a", grace_period=1)
    made.monitor.watch("a", [A, other], saved=False, unasked=False)
    status = made.monitor.status(other.peer)
    assert (status.state, status.what_if) == (State.STALE, True)


async def test_what_is_checked_again_is_not_stale_meanwhile() -> None:
    made = net(refresh_minutes=0)
    await checked(made, A)
    made.gate.clear()
    running = made.monitor.check(A)
    await made.until(lambda: made.monitor.status(A.peer).state is State.CHECKING)
    await made.later(24 * 60 * MINUTE)
    assert made.monitor.status(A.peer).state is State.CHECKING
    made.gate.set()
    await running
    assert made.monitor.status(A.peer).state is State.AFFIRMED


async def test_a_check_under_way_is_joined() -> None:
    made = net()
    made.gate.clear()
    made.monitor.watch("a", [A], saved=True, unasked=True)
    assert made.monitor.check(A) is made.monitor.check(A)
    made.gate.set()
    await made.monitor.check(A)
    assert made.checked == ["a.example"]


async def test_what_is_cancelled_while_it_waits_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(monitors, "MAX_CHECKS_AT_ONCE", 1)
    made = net()
    await checked(made, A, B)
    made.checked.clear()
    made.gate.clear()
    await made.later(24 * 60 * MINUTE)
    assert len(made.checked) == 1
    made.monitor.cancel_checks()
    made.gate.set()
    await made.later(0)
    await made.later(24 * 60 * MINUTE)
    assert sorted(made.checked[1:]) == ["a.example", "b.example"]


async def test_few_checks_run_at_once() -> None:
    made = net()
    made.gate.clear()
    many = [provider(f"p{index}") for index in range(10_000)]
    made.monitor.watch("a", many, saved=True, unasked=True)
    checks = [made.monitor.check(each) for each in many]
    await made.until(lambda: made.running == monitors.MAX_CHECKS_AT_ONCE)
    made.monitor.watch("a", many, saved=False, unasked=False)
    made.gate.set()
    await asyncio.gather(*checks)
    assert made.most == monitors.MAX_CHECKS_AT_ONCE
    assert len(made.checked) == 10_000
    made.monitor.stop()


async def test_what_is_edited_away_lingers_and_what_is_saved_away_goes() -> None:
    made = net()
    await checked(made, A, B)
    made.monitor.watch("a", [B], saved=False, unasked=False)
    assert made.monitor.status(A.peer).state is State.AFFIRMED
    assert made.retired == []
    made.monitor.watch("a", [A, B], saved=False, unasked=False)
    made.monitor.watch("a", [A], saved=True, unasked=True)
    assert made.retired == ["b.example"]
    made.monitor.watch("a", [], saved=False, unasked=False)
    await made.later(monitors.LINGER_SECONDS + 1)
    assert made.retired == ["b.example", "a.example"]


async def test_another_document_that_has_it_too_keeps_it() -> None:
    made = net()
    await checked(made, A)
    made.monitor.watch("b", [provider("a")], saved=True, unasked=True)
    made.monitor.unwatch("a")
    assert made.retired == []
    made.monitor.unwatch("b")
    assert made.retired == ["a.example"]


async def test_what_another_document_edited_away_it_may_have_again() -> None:
    made = net()
    made.monitor.watch("profile", [B], saved=False, unasked=False)
    await checked(made, A)
    made.monitor.watch("profile", [], saved=False, unasked=False)
    made.monitor.watch("a", [], saved=True, unasked=False)
    assert made.retired == ["a.example"]
    made.monitor.watch("profile", [B], saved=False, unasked=False)
    made.monitor.unwatch("profile")
    assert made.retired == ["a.example", "b.example"]


async def test_what_is_edited_away_is_checked_no_longer() -> None:
    made = net()
    made.gate.clear()
    made.monitor.watch("a", [A], saved=True, unasked=True)
    running = made.monitor.check(A)
    await made.until(lambda: made.running == 1)
    made.monitor.watch("a", [], saved=False, unasked=False)
    await asyncio.wait([running])
    assert running.cancelled()
    assert made.running == 0


async def test_what_comes_back_at_once_is_checked_anew() -> None:
    made = net()
    made.gate.clear()
    made.monitor.watch("a", [A], saved=True, unasked=True)
    made.monitor.check(A)
    await made.until(lambda: made.running == 1)
    made.monitor.watch("a", [], saved=False, unasked=False)
    made.monitor.watch("a", [A], saved=True, unasked=True)
    assert not made.monitor.is_known(A.peer)
    again = made.monitor.check(A)
    made.gate.set()
    await again
    assert made.monitor.status(A.peer).state is State.AFFIRMED
    assert made.monitor.is_known(A.peer)


async def test_cancelled_checks_leave_what_was_known() -> None:
    made = net()
    await checked(made, A)
    made.gate.clear()
    running = made.monitor.check(A)
    await made.until(lambda: made.monitor.status(A.peer).state is State.CHECKING)
    made.monitor.cancel_checks()
    await asyncio.wait([running])
    assert made.monitor.status(A.peer).state is State.AFFIRMED


async def test_a_check_that_was_due_and_cancelled_is_due_again() -> None:
    made = net()
    await checked(made, A)
    made.gate.clear()
    await made.later(20 * MINUTE)
    assert made.running == 1
    made.monitor.cancel_checks()
    made.gate.set()
    await made.later(1)
    assert len(made.checked) == 2
    await made.later(20 * MINUTE)
    assert len(made.checked) == 3


async def test_evidence_is_kept_of_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitors, "MAX_EVIDENCE_BYTES", 25)
    made = net()
    hosts = [provider(name) for name in "abcd"]
    for host in hosts:
        given = replace(attestation(host, made.now), evidence=Evidence(b"quote", "[1,2]"))
        made.monitor.attested(host.peer, given)
    kept = [made.monitor.verified(host.origin) is not None for host in hosts]
    assert kept == [False, False, True, True]
    monkeypatch.setattr(monitors, "MAX_EVIDENCE_BYTES", 1)
    made.monitor.attested(hosts[0].peer, given)
    kept = [made.monitor.verified(host.origin) is not None for host in hosts]
    assert kept == [True, False, False, False]
