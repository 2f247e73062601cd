"""Step 10 (threats 10, 37, 41): pins hold whole, or not at all."""

from __future__ import annotations

import pytest

from ratls_ls.rats.event_log import RUNTIME_IMR
from ratls_ls.rats.policy import AppraisalPolicy, Register
from ratls_ls.rats.result import ClaimName, ClaimVerdict
from ratls_ls.simulator.quote import Body

from .world import OfflineBinding, World, failures, logs, pinning

ALL = list(Register)


def actual(register: Register, world: World) -> bytes:
    world.mint()
    report = world.report
    values = {
        "mrtd": report.mrtd,
        "mrseam": report.mrseam,
        **{f"rtmr{index}": value for index, value in enumerate(report.rtmrs)},
        "composeHash": logs.COMPOSE_HASH,
        "osImageHash": logs.OS_IMAGE_HASH,
    }
    return values[register.value]


@pytest.mark.parametrize("register", ALL)
@pytest.mark.parametrize("body", [(4, Body.TD10), (5, Body.TD15), (5, Body.TD15_EX)])
def test_each_register_can_be_pinned(register: Register, body: tuple[int, Body]) -> None:
    world = World(version=body[0], body=body[1])
    value = actual(register, world)
    assert len(value) == register.size
    world.policy = pinning(**{register.value: value})
    result = world.appraise()
    assert result.affirmed
    assert f"key_of_{register}" in (result.claim(ClaimName.MEASUREMENTS).actual or "")


@pytest.mark.parametrize("register", ALL)
@pytest.mark.parametrize("byte", [0, 15, 31, -1])
def test_each_byte_counts(register: Register, byte: int) -> None:
    world = World()
    value = bytearray(actual(register, world))
    value[byte] ^= 1
    world.policy = pinning(**{register.value: bytes(value)})
    result = world.appraise()
    claim = result.claim(ClaimName.MEASUREMENTS)
    assert failures(result) == ["measurements"]
    assert claim.policy_key == f"key_of_{register}"
    assert claim.expected == value.hex()
    assert claim.actual == actual(register, world).hex()


@pytest.mark.parametrize("register", ALL)
@pytest.mark.parametrize("size", [0, 1, 16, 31])
def test_a_short_pin_never_matches(register: Register, size: int) -> None:
    world = World()
    pin = actual(register, world)[:size]
    world.policy = pinning(**{register.value: pin})
    result = world.appraise()
    assert failures(result) == ["measurements"]
    reason = result.claim(ClaimName.MEASUREMENTS).reason or ""
    assert f"the pin is {len(pin)} bytes, {register} has {register.size}" in reason


@pytest.mark.parametrize("register", ALL)
def test_a_long_pin_never_matches(register: Register) -> None:
    world = World()
    world.policy = pinning(**{register.value: actual(register, world) + b"\0"})
    assert failures(world.appraise()) == ["measurements"]


def test_every_pin_counts_not_only_the_first() -> None:
    world = World()
    mrtd = actual(Register.MRTD, world)
    world.policy = pinning(mrtd=mrtd, rtmr0=bytes(48))
    result = world.appraise()
    assert failures(result) == ["measurements"]
    assert result.claim(ClaimName.MEASUREMENTS).policy_key == "key_of_rtmr0"


def test_no_pin_is_said() -> None:
    claim = World(policy=AppraisalPolicy()).appraise().claim(ClaimName.MEASUREMENTS)
    assert claim.verdict is ClaimVerdict.PASSED
    assert claim.reason == (
        "no measurement pinned: any genuine TD with a valid certificate for this host passes"
    )


@pytest.mark.parametrize("register", [Register.COMPOSE_HASH, Register.OS_IMAGE_HASH])
@pytest.mark.parametrize("binding", [None, OfflineBinding()])
def test_a_pin_of_the_log_needs_the_log(register: Register, binding: OfflineBinding | None) -> None:
    world = World()
    world.policy = pinning(**{register.value: actual(register, world)})
    world.log = None
    # With events in it a channel needs the log, whatever is pinned.
    world.report.rtmrs[RUNTIME_IMR] = bytes(48)
    # An older guest does not check mr_config_id, which its host sets at will.
    world.report.mr_config_id = (b"\x01" + logs.COMPOSE_HASH).ljust(48, b"\0")
    if binding is not None:
        world.binding = binding
    result = world.appraise()
    assert failures(result) == ["event-log", "measurements"]
    for claim in result.failed_claims:
        assert claim.policy_key == f"key_of_{register}"


@pytest.mark.parametrize("register", [Register.COMPOSE_HASH, Register.OS_IMAGE_HASH])
def test_a_pin_of_the_log_is_not_met_by_a_log_without_the_event(register: Register) -> None:
    name = {"composeHash": "compose-hash", "osImageHash": "os-image-hash"}[register.value]
    world = World()
    assert world.log is not None
    world.log = [event for event in world.log if event["event"] != name]
    world.policy = pinning(**{register.value: actual(register, world)})
    world.report.mr_config_id = (b"\x01" + logs.COMPOSE_HASH).ljust(48, b"\0")
    assert failures(world.appraise()) == ["measurements"]


def test_a_pin_of_the_log_is_not_met_by_an_unsound_log() -> None:
    world = World(policy=pinning(composeHash=logs.COMPOSE_HASH))
    world.quote = world.mint()
    assert world.log is not None
    world.log = [*world.log, logs.runtime_event("extra", b"")]
    assert failures(world.appraise()) == ["event-log", "measurements"]


def test_a_register_pin_needs_no_log() -> None:
    world = World(log=None)
    world.policy = pinning(mrtd=world.report.mrtd)
    assert world.appraise().affirmed


def test_measurements_are_told_in_full() -> None:
    world = World()
    result = world.appraise()
    assert result.measurements == {
        "mrtd": world.report.mrtd.hex(),
        "mrseam": world.report.mrseam.hex(),
        **{f"rtmr{index}": value.hex() for index, value in enumerate(world.report.rtmrs)},
        "composeHash": logs.COMPOSE_HASH.hex(),
        "osImageHash": logs.OS_IMAGE_HASH.hex(),
        "appId": logs.COMPOSE_HASH[:20].hex(),
    }


def test_failed_claims_do_not_hide_measurements() -> None:
    world = World(policy=AppraisalPolicy(allowed_tcb_status=frozenset()))
    result = world.appraise()
    assert failures(result) == ["tcb-status"]
    assert set(result.measurements) >= {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mrseam"}
