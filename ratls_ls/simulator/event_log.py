"""A dstack event log for the simulated TD, and the registers it replays to.

Shapes: dstack, `cc-eventlog`; format 2 since dstack 0.5.9 (canonical JSON, RFC 8785, with its
preimage).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

RUNTIME = 0x08000001
APP_COMPOSE = '{"name":"simulated-llm","docker_compose_file":"services: {llm: {image: vllm}}"}'
COMPOSE_HASH = hashlib.sha256(APP_COMPOSE.encode()).digest()
OS_IMAGE_HASH = hashlib.sha256(b"simulated dstack OS image").digest()


def boot_event(imr: int, content: bytes) -> dict[str, Any]:
    """An event of the firmware; its digest is of something else than its payload."""
    return {
        "imr": imr,
        "event_type": 0x80000001,
        "digest": hashlib.sha384(content).hexdigest(),
        "event": "",
        "event_payload": content.hex(),
    }


def runtime_event(name: str, payload: bytes, version: int = 1) -> dict[str, Any]:
    """An event of the guest; its digest follows from name and payload."""
    event: dict[str, Any] = {
        "imr": 3,
        "event_type": RUNTIME,
        "event": name,
        "event_payload": payload.hex(),
    }
    if version == 1:
        preimage = RUNTIME.to_bytes(4, "little") + b":" + name.encode() + b":" + payload
    else:
        canonical = {"name": name, "payload": payload.hex(), "type": RUNTIME}
        preimage = json.dumps(canonical, separators=(",", ":"), ensure_ascii=False).encode()
        event |= {"version": version, "preimage": preimage.hex()}
    return event | {"digest": hashlib.sha384(preimage).hexdigest()}


def make_event_log(leaf_certificate: bytes | None, version: int = 1) -> list[dict[str, Any]]:
    """The log of one boot; `leaf_certificate` (DER) is announced last, if given."""
    boot = (
        ("system-preparing", b""),
        ("app-id", COMPOSE_HASH[:20]),
        ("compose-hash", COMPOSE_HASH),
        ("instance-id", hashlib.sha256(b"instance").digest()[:20]),
        ("boot-mr-done", b""),
        ("os-image-hash", OS_IMAGE_HASH),
        ("key-provider", b'{"name":"none","id":""}'),
        ("system-ready", b""),
    )
    log = [
        boot_event(0, b"simulated virtual hardware"),
        boot_event(1, b"simulated kernel"),
        boot_event(2, b"simulated initrd and command line"),
        *(runtime_event(name, payload, version) for name, payload in boot),
    ]
    if leaf_certificate is not None:
        log.append(certificate_event(leaf_certificate, version))
    return log


def certificate_event(leaf_certificate: bytes, version: int = 1) -> dict[str, Any]:
    """The announcement of a TLS certificate (DER)."""
    digest = hashlib.sha256(leaf_certificate).hexdigest()
    return runtime_event("New TLS Certificate", digest.encode(), version)


def without_digests(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As dstack 0.5.7 and later send it: runtime events have empty digests."""
    return [event | {"digest": ""} if event["imr"] == 3 else event for event in log]


def replay(log: list[dict[str, Any]]) -> list[bytes]:
    """RTMR0 to RTMR3 after `log`."""
    registers = [bytes(48)] * 4
    for event in log:
        imr = event["imr"]
        extended = registers[imr] + bytes.fromhex(event["digest"])
        registers[imr] = hashlib.sha384(extended).digest()
    return registers
