"""The measurements that were just verified, written into the policy as pins.

Invariant: what the edits leave is the same config with more pins, or there are none.
"""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.edits import quoted
from ratls_ls.config.measurements import REGISTERS
from ratls_ls.config.problem import Edit
from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.rats.result import AttestationResult

from .rewrite import policy_edits, provider_after


def pin(file: ConfigFile, table: ProviderTable, result: AttestationResult) -> list[Edit]:
    """Edits that pin, under `table`'s policy, every register of an affirmed result that is not
    pinned yet; none if all are, or if it cannot be done. Pins that are there hold already."""
    if table.provider is None:
        return []
    missing = [(tuple(key.split(".")), quoted(value)) for key, value in unpinned(table, result)]
    edits = policy_edits(table, missing)
    after = provider_after(file, table.id, edits) if edits else None
    holds = after is not None and set(table.provider.policy.pins) < set(after.policy.pins)
    return edits if holds else []


def unpinned(table: ProviderTable, result: AttestationResult) -> Iterator[tuple[str, str]]:
    """The registers of `result` that `table`'s policy does not pin: dotted key and value."""
    there = {pin.key for pin in table.provider.policy.pins} if table.provider is not None else ()
    for key, register in REGISTERS.items():
        value = result.measurements.get(register.value)
        if value is None or key == "app_compose" or key in there:
            continue
        # The text of an application pins the same as its hash.
        if key != "compose_hash" or "app_compose" not in there:
            yield key, value
