"""Pins as a policy writes them.

Invariant: a pin is all of its hex digits or none; nothing is dropped or padded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ratls_ls.rats.policy import Pin, Register

from .keys import find
from .span import Span
from .toml.values import Entry, Table, string_of

_HEX = re.compile(r"(?:0x)?(?P<digits>[0-9a-fA-F]*)")

REGISTERS: dict[str, Register] = {
    "min_tdx_tcb.mrseam": Register.MRSEAM,
    # The fork calls RTMR0 `mrtmrs`.
    "min_tdx_tcb.mrtmrs": Register.RTMR0,
    "expected_bootchain.mrtd": Register.MRTD,
    "expected_bootchain.rtmr0": Register.RTMR0,
    "expected_bootchain.rtmr1": Register.RTMR1,
    "expected_bootchain.rtmr2": Register.RTMR2,
    "os_image_hash": Register.OS_IMAGE_HASH,
    "compose_hash": Register.COMPOSE_HASH,
    "app_compose": Register.COMPOSE_HASH,
}
"""Which register each pin compares, by dotted key under `ratls_policy`."""


class Measurement(NamedTuple):
    """A hex pin in a policy. `key`: dotted; `digits`: without a `0x`, None if it is no hex; `span`:
    the string with its quotes; `size`: of the whole value, in bytes; `in_fork`: whether the RA-TLS
    fork reads it.
    """

    key: str
    entry: Entry
    text: str
    digits: str | None
    span: Span
    size: int
    in_fork: bool

    @property
    def length(self) -> int | None:
        """How many digits there are; None if it is no hex."""
        return None if self.digits is None else len(self.digits)

    @property
    def needed(self) -> int:
        """How many digits the whole value has."""
        return 2 * self.size

    @property
    def is_whole(self) -> bool:
        return self.length == self.needed


def _hex_keys() -> Iterator[tuple[str, tuple[str, ...], int, bool]]:
    for key in REGISTERS:
        path = tuple(key.split("."))
        model = find("ratls_policy", *path)
        if model is not None and model.size is not None:
            yield key, path, model.size, not model.is_extension


_HEX_KEYS = tuple(_hex_keys())


def measurements(policy: Table | None) -> Iterator[Measurement]:
    """The hex pins of a policy that are strings, whatever stands in them."""
    if policy is None:
        return
    for key, path, size, in_fork in _HEX_KEYS:
        entry = policy.entry(*path)
        text = string_of(entry.value) if entry is not None else None
        if entry is not None and text is not None:
            digits, span = hex_digits(text), entry.value.span
            yield Measurement(key, entry, text, digits, span, size, in_fork)


def pins(policy: Table | None, hex_pins: Iterable[Measurement]) -> Iterator[tuple[Pin, Span]]:
    """The whole pins of a policy, with the span of their value. `hex_pins`: its `measurements`."""
    for found in hex_pins:
        if found.is_whole:
            value = bytes.fromhex(found.digits or "")
            yield Pin(found.key, REGISTERS[found.key], value), found.span
    compose = policy.get("app_compose") if policy is not None else None
    text = string_of(compose)
    if compose is not None and text is not None:
        digest = hashlib.sha256(text.encode()).digest()
        yield Pin("app_compose", Register.COMPOSE_HASH, digest), compose.span


def hex_digits(text: str) -> str | None:
    """The digits of a pin, `0x` before it or not; None if it is no hex."""
    match = _HEX.fullmatch(text)
    return match["digits"] if match is not None else None


def digits_of(text: str) -> bytes | None:
    """The bytes of a pin, `0x` before it or not; None if it is no hex."""
    digits = hex_digits(text)
    return None if digits is None or len(digits) % 2 else bytes.fromhex(digits)
