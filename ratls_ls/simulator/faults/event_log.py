"""Event logs that say something else than what was measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ratls_ls.rats.result import ClaimName
from ratls_ls.simulator.event_log import COMPOSE_HASH, boot_event, replay, runtime_event
from ratls_ls.simulator.quote import TdReport
from ratls_ls.simulator.scenario import Log, Scenario

from .fault import harmless, rejected

_EVIL = b"\xee" * 32
_MOST_EVENTS = 4096


def _told(scenario: Scenario, edit: Callable[[Log], Any]) -> None:
    """Tell an edited log; what was measured stays."""
    scenario.told_log.append(edit)


def _edit(log: Log, name: str, **changes: Any) -> Log:
    return [event | changes if event["event"] == name else event for event in log]


@rejected(ClaimName.EVENT_LOG, 24)
def edited_payload(scenario: Scenario) -> None:
    """another compose hash is told, beside the digest of the true one"""
    _told(scenario, lambda log: _edit(log, "compose-hash", event_payload=_EVIL.hex()))


@rejected(ClaimName.EVENT_LOG, 24, 31)
def edited_name(scenario: Scenario) -> None:
    """an event is told by another name, beside the digest of the true one"""
    _told(scenario, lambda log: _edit(log, "instance-id", event="os-image-hash"))


@rejected(ClaimName.EVENT_LOG, 25)
def event_outside_the_registers(scenario: Scenario) -> None:
    """an event names register 4, which no replay looks at"""
    evil = runtime_event("compose-hash", _EVIL) | {"imr": 4}
    _told(scenario, lambda log: [evil, *log])


@harmless(26)
def relabelled_boot_event(scenario: Scenario) -> None:
    """a boot event, whose digest binds no payload, is named like a compose hash"""
    evil = {"event": "compose-hash", "event_payload": _EVIL.hex()}
    _told(scenario, lambda log: [log[0] | evil, *log[1:]])


@rejected(ClaimName.EVENT_LOG, 27)
def retyped_event(scenario: Scenario) -> None:
    """an edited event has a type that is not recomputed"""
    _told(
        scenario,
        lambda log: _edit(log, "compose-hash", event_payload=_EVIL.hex(), event_type=0x80000001),
    )


@rejected(ClaimName.EVENT_LOG, 28)
def second_compose_hash(scenario: Scenario) -> None:
    """a second compose hash is measured before the system is ready"""
    evil = runtime_event("compose-hash", _EVIL)

    def insert(log: Log) -> Log:
        place = [event["event"] for event in log].index("system-ready")
        return [*log[:place], evil, *log[place:]]

    scenario.log.append(insert)


@harmless(28)
def late_compose_hash(scenario: Scenario) -> None:
    """an application measures an event named like a compose hash once the system is ready"""
    scenario.log.append(lambda log: [*log, runtime_event("compose-hash", _EVIL)])


@harmless(29)
def empty_digests(scenario: Scenario) -> None:
    """runtime events come without digests, as dstack 0.5.7 and later send them"""
    scenario.empty_digests = True


@harmless(30)
def second_log_format(scenario: Scenario) -> None:
    """events in dstack's second format"""
    scenario.log_version = 2


@rejected(ClaimName.EVENT_LOG, 30)
def false_preimage(scenario: Scenario) -> None:
    """an event in the second format comes with the preimage of another one"""
    scenario.log_version = 2
    _told(
        scenario,
        lambda log: _edit(log, "compose-hash", preimage=log[-1]["preimage"], digest=""),
    )


@rejected(ClaimName.EVENT_LOG, 31)
def name_behind_a_colon(scenario: Scenario) -> None:
    """an event whose name and payload are cut at another colon"""
    scenario.log.append(lambda log: [*log, runtime_event("compose-hash:x", b"y")])


@rejected(ClaimName.EVENT_LOG, 32)
def short_digest(scenario: Scenario) -> None:
    """a digest is cut to 32 bytes"""
    _told(scenario, lambda log: [log[0] | {"digest": log[0]["digest"][:64]}, *log[1:]])


@rejected(ClaimName.EVENT_LOG, 33)
def dropped_event(scenario: Scenario) -> None:
    """an event was measured and is not told"""
    _told(scenario, lambda log: log[:-1])


@rejected(ClaimName.EVENT_LOG, 33)
def swapped_events(scenario: Scenario) -> None:
    """two events are told in the wrong order"""
    _told(scenario, lambda log: [*log[:-2], log[-1], log[-2]])


@rejected(ClaimName.EVENT_LOG, 33)
def invented_event(scenario: Scenario) -> None:
    """an event is told and was never measured"""
    _told(scenario, lambda log: [*log, runtime_event("note", b"never measured")])


@rejected(ClaimName.EVENT_LOG, 33)
def edited_boot_event(scenario: Scenario) -> None:
    """the firmware measured something else than is told"""
    _told(scenario, lambda log: [boot_event(0, b"other hardware"), *log[1:]])


@rejected(ClaimName.EVENT_LOG, 34)
def no_event_log(scenario: Scenario) -> None:
    """no event log comes, and the policy pins what only it tells"""
    _told(scenario, lambda _: None)


@rejected(ClaimName.EVENT_LOG, 34)
def empty_event_log(scenario: Scenario) -> None:
    """the event log is empty"""
    _told(scenario, lambda _: [])


@rejected(ClaimName.EVENT_LOG, 35)
def event_log_is_an_object(scenario: Scenario) -> None:
    """the event log is no list"""
    _told(scenario, lambda log: {"events": log})


@rejected(ClaimName.EVENT_LOG, 35)
def register_as_text(scenario: Scenario) -> None:
    """an event names its register in quotes"""
    _told(scenario, lambda log: [log[0] | {"imr": "0"}, *log[1:]])


@rejected(ClaimName.EVENT_LOG, 35)
def null_payload(scenario: Scenario) -> None:
    """an event has no payload"""
    _told(scenario, lambda log: _edit(log, "compose-hash", event_payload=None))


@rejected(ClaimName.EVENT_LOG, 35)
def too_many_events(scenario: Scenario) -> None:
    """more events than any boot has"""
    many = [boot_event(0, b"x")] * _MOST_EVENTS
    _told(scenario, lambda log: [*log, *many])


@rejected(ClaimName.EVENT_LOG, 36)
def blanks_in_hex(scenario: Scenario) -> None:
    """a payload is written with a blank in it"""
    payload = COMPOSE_HASH.hex()
    spaced = f"{payload[:2]} {payload[2:]}"
    _told(scenario, lambda log: _edit(log, "compose-hash", event_payload=spaced))


@rejected(ClaimName.MEASUREMENTS, 10, 37)
def other_application(scenario: Scenario) -> None:
    """a genuine TD runs another application than the one pinned"""

    def other(log: Log) -> Log:
        evil = runtime_event("compose-hash", _EVIL)
        return [evil if event["event"] == "compose-hash" else event for event in log]

    def configured(report: TdReport) -> TdReport:
        report.mr_config_id = (b"\x01" + _EVIL).ljust(48, b"\0")
        return report

    scenario.log.append(other)
    scenario.report.append(configured)


@rejected(ClaimName.EVENT_LOG, 38)
def configuration_disagrees(scenario: Scenario) -> None:
    """the signed mr_config_id names another compose hash than the event log"""

    def configured(report: TdReport) -> TdReport:
        report.mr_config_id = (b"\x01" + _EVIL).ljust(48, b"\0")
        return report

    scenario.report.append(configured)


@rejected(ClaimName.EVENT_LOG, 33)
def registers_of_another_log(scenario: Scenario) -> None:
    """the quote's registers are those of another boot"""

    def other(report: TdReport) -> TdReport:
        report.rtmrs = replay([boot_event(imr, b"another boot") for imr in range(4)])
        return report

    scenario.report.append(other)
