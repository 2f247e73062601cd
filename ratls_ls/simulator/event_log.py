"""A dstack event log for the simulated TD, and the registers it replays to."""

from __future__ import annotations

import hashlib
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


def runtime_event(name: str, payload: bytes) -> dict[str, Any]:
    digest = hashlib.sha384(
        RUNTIME.to_bytes(4, "little") + b":" + name.encode() + b":" + payload
    ).hexdigest()
    return {
        "imr": 3,
        "event_type": RUNTIME,
        "digest": digest,
        "event": name,
        "event_payload": payload.hex(),
    }


def make_event_log(leaf_certificate: bytes | None) -> list[dict[str, Any]]:
    """The log of one boot; `leaf_certificate` (DER) is announced last, if given."""
    log = [
        boot_event(0, b"simulated virtual hardware"),
        boot_event(1, b"simulated kernel"),
        boot_event(2, b"simulated initrd and command line"),
        runtime_event("system-preparing", b""),
        runtime_event("app-id", COMPOSE_HASH[:20]),
        runtime_event("compose-hash", COMPOSE_HASH),
        runtime_event("instance-id", hashlib.sha256(b"instance").digest()[:20]),
        runtime_event("boot-mr-done", b""),
        runtime_event("os-image-hash", OS_IMAGE_HASH),
        runtime_event("key-provider", b'{"name":"none","id":""}'),
        runtime_event("system-ready", b""),
    ]
    if leaf_certificate is not None:
        log.append(certificate_event(leaf_certificate))
    return log


def certificate_event(leaf_certificate: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(leaf_certificate).hexdigest()
    return runtime_event("New TLS Certificate", digest.encode())


def replay(log: list[dict[str, Any]]) -> list[bytes]:
    registers = [bytes(48)] * 4
    for event in log:
        imr = event["imr"]
        extended = registers[imr] + bytes.fromhex(event["digest"])
        registers[imr] = hashlib.sha384(extended).digest()
    return registers
