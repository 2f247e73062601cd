"""dstack's event log: the story behind the RTMRs.

Invariant: an event's name and payload count only after its digest was recomputed from them, and
the digests only after all four registers replay to those of the verified quote.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import strict_json
from .errors import EvidenceError
from .evidence import MAX_EVENT_LOG_BYTES, from_hex
from .result import ClaimName

MAX_EVENTS = 4096
RUNTIME_EVENT_TYPE = 0x08000001  # dstack-types, DSTACK_RUNTIME_EVENT_TYPE
RUNTIME_IMR = 3
DIGEST_BYTES = 48  # SHA-384, Intel TDX module 1.5 ABI, TDG.MR.RTMR.EXTEND
SYSTEM_READY = "system-ready"
NEW_TLS_CERTIFICATE = "New TLS Certificate"
# Said by the guest's boot once; what an application emits later under these names is its own.
BOOT_EVENTS = ("app-id", "compose-hash", "instance-id", "os-image-hash", "key-provider")
# Said by every boot, so that an application's own would be the second one.
_SAID_BY_EVERY_BOOT = ("app-id", "compose-hash")
_HASH_EVENTS = ("compose-hash", "os-image-hash")
_NAMES_THAT_COUNT = (*BOOT_EVENTS, SYSTEM_READY, NEW_TLS_CERTIFICATE)
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Event:
    imr: int
    digest: bytes
    name: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class EventLog:
    """A log whose runtime digests are recomputed; `rtmrs` is what it replays to."""

    events: tuple[Event, ...]

    @property
    def rtmrs(self) -> tuple[bytes, bytes, bytes, bytes]:
        registers = [bytes(DIGEST_BYTES)] * 4
        for event in self.events:
            registers[event.imr] = hashlib.sha384(registers[event.imr] + event.digest).digest()
        return registers[0], registers[1], registers[2], registers[3]

    @property
    def runtime_events(self) -> tuple[Event, ...]:
        return tuple(event for event in self.events if event.imr == RUNTIME_IMR)

    def boot_value(self, name: str) -> bytes | None:
        """The payload of the boot event `name`, which stands once before `system-ready`.

        dstack before 0.5 has no `system-ready`: then only what every boot says counts, since the
        rest may be an application's.
        """
        ready = any(event.name == SYSTEM_READY for event in self.runtime_events)
        if not ready and name not in _SAID_BY_EVERY_BOOT:
            return None
        for event in self.boot_events():
            if event.name == name:
                return event.payload
        return None

    @property
    def announces_certificate(self) -> bool:
        """Whether the guest announced a TLS certificate, be it in words that cannot be read."""
        return any(event.name == NEW_TLS_CERTIFICATE for event in self.runtime_events)

    @property
    def certificate_sha256(self) -> bytes | None:
        """SHA-256 of the TLS leaf certificate (DER) that the guest announced last."""
        for event in reversed(self.runtime_events):
            if event.name == NEW_TLS_CERTIFICATE:
                # The payload is hex of ASCII hex: the digest as text.
                try:
                    digest = from_hex(event.payload.decode("ascii"))
                except UnicodeDecodeError:
                    return None
                return digest if digest is not None and len(digest) == _HASH_BYTES else None
        return None

    def boot_events(self) -> Sequence[Event]:
        """Runtime events before `system-ready`."""
        events = self.runtime_events
        for index, event in enumerate(events):
            if event.name == SYSTEM_READY:
                return events[:index]
        return events


def parse(text: str) -> EventLog:
    """Read and recompute; not yet compared with a quote. Raises EvidenceError (`event-log`)."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_EVENT_LOG_BYTES:
        raise _error(f"the event log is larger than {MAX_EVENT_LOG_BYTES} bytes")
    try:
        items = strict_json.loads(text)
    except strict_json.StrictJsonError as error:
        raise _error(f"the event log cannot be read: {error}") from error
    if not isinstance(items, list):
        raise _error("the event log is not a list")
    if len(items) > MAX_EVENTS:
        raise _error(f"the event log has more than {MAX_EVENTS} events")
    log = EventLog(tuple(_event(item, index) for index, item in enumerate(items)))
    _check_boot_events(log)
    return log


def _event(item: Any, index: int) -> Event:
    if not isinstance(item, dict):
        raise _error(f"event {index} is not an object")
    imr = _whole_number(item, "imr", index)
    event_type = _whole_number(item, "event_type", index)
    name = _text(item.get("event"), "event", index)
    payload = _hex(item.get("event_payload"), "event_payload", index)
    # dstack 0.5.7 and later leave it out of runtime events, where it follows from the rest.
    digest = _hex("" if item.get("digest") is None else item["digest"], "digest", index)
    if not 0 <= imr <= RUNTIME_IMR:
        raise _error(f"event {index} names no register (imr)")
    if len(digest) not in (0, DIGEST_BYTES):
        raise _error(f"the digest of event {index} is not {DIGEST_BYTES} bytes")
    if imr != RUNTIME_IMR:
        if not digest:
            raise _error(f"boot event {index} has no digest")
        return Event(imr, digest, name, payload)
    if event_type != RUNTIME_EVENT_TYPE:
        raise _error(
            f"event {index} in RTMR3 is no dstack runtime event",
            expected=f"event_type {RUNTIME_EVENT_TYPE:#x}",
            actual=f"event_type {event_type:#x}",
        )
    recomputed = hashlib.sha384(_preimage(item, name, payload, index)).digest()
    if digest and digest != recomputed:
        raise _error(
            f"event {index} was edited: its digest does not fit its name and payload",
            expected=recomputed.hex(),
            actual=digest.hex(),
        )
    return Event(imr, recomputed, name, payload)


def _preimage(item: dict[str, Any], name: str, payload: bytes, index: int) -> bytes:
    """What a runtime event's digest is made of, in the format that the event says it has."""
    version = _whole_number(item, "version", index) if "version" in item else 1
    if version == 1:
        # The digest does not tell name from payload: ("a:b", "c") and ("a", "b:c") share one.
        if ":" in name and name.partition(":")[0] in _NAMES_THAT_COUNT:
            raise _error(f"event {index} hides another name behind a colon")
        return b":".join((RUNTIME_EVENT_TYPE.to_bytes(4, "little"), name.encode("utf-8"), payload))
    if version != 2:
        raise _error(f"event {index} has an unknown format version")
    # RFC 8785: keys sorted, nothing between; the three values need no other care.
    canonical = json.dumps(
        {"name": name, "payload": payload.hex(), "type": RUNTIME_EVENT_TYPE},
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode("utf-8")
    told = item.get("preimage")
    if told is not None and _hex(told, "preimage", index) != canonical:
        raise _error(f"the preimage of event {index} is not its name, payload and type")
    return canonical


def _whole_number(item: dict[str, Any], key: str, index: int) -> int:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _error(f"`{key}` of event {index} is not a whole number")
    return value


def _text(value: object, key: str, index: int) -> str:
    if not isinstance(value, str):
        raise _error(f"`{key}` of event {index} is not text")
    return value


def _hex(value: object, key: str, index: int) -> bytes:
    data = from_hex(_text(value, key, index))
    if data is None:
        raise _error(f"`{key}` of event {index} is not plain hex")
    return data


def _check_boot_events(log: EventLog) -> None:
    boot = log.boot_events()
    for name in BOOT_EVENTS:
        found = [event for event in boot if event.name == name]
        if len(found) > 1:
            raise _error(f"boot event {name} stands more than once")
        if found and name in _HASH_EVENTS and len(found[0].payload) != _HASH_BYTES:
            raise _error(f"boot event {name} holds no SHA-256 value")


def _error(reason: str, *, expected: str | None = None, actual: str | None = None) -> EvidenceError:
    return EvidenceError(ClaimName.EVENT_LOG, reason, expected=expected, actual=actual)
