"""The measurements that were just verified, written into the policy as pins.

Invariant: what the edits leave is the same config with more pins, or there are none.
"""

from __future__ import annotations

from ratls_ls.config.check import apply
from ratls_ls.config.edits import add_keys, quoted
from ratls_ls.config.measurements import REGISTERS
from ratls_ls.config.problem import Edit
from ratls_ls.config.read import ConfigFile, ProviderTable, read
from ratls_ls.rats.result import AttestationResult


def pin(file: ConfigFile, table: ProviderTable, result: AttestationResult) -> list[Edit]:
    """Edits that pin, under `table`'s policy, every register of an affirmed result that is not
    pinned yet; none if all are, or if it cannot be done. Pins that are there hold already."""
    policy = table.policy
    there = policy.entries if policy is not None else {}
    missing: dict[tuple[str, ...], list[tuple[tuple[str, ...], str]]] = {}
    for dotted, register in REGISTERS.items():
        value = result.measurements.get(register.value)
        path = tuple(dotted.split("."))
        if value is None or dotted == "app_compose" or dotted in table.policy_spans:
            continue
        if dotted == "compose_hash" and "app_compose" in there:
            continue
        # Into the innermost table that is there; the rest is said by a dotted key.
        inside = ("ratls_policy", *path[:-1])
        while inside and table.table.get(*inside) is None:
            inside = inside[:-1]
        key = ("ratls_policy", *path)[len(inside) :]
        missing.setdefault(inside, []).append((key, quoted(value)))
    edits = [
        edit
        for inside, values in missing.items()
        if (edit := add_keys(table, inside, values)) is not None
    ]
    return edits if edits and _holds(file, table, edits) else []


def _holds(file: ConfigFile, table: ProviderTable, edits: list[Edit]) -> bool:
    """Whether the text that the edits leave says what it should, and of others what it said."""
    after = read(apply(file.text, edits))
    changed = after.providers.get(table.id)
    if table.provider is None or changed is None or changed.provider is None:
        return False
    old, new = set(table.provider.policy.pins), set(changed.provider.policy.pins)
    others = {name: each.provider for name, each in file.providers.items() if name != table.id}
    others_after = {
        name: each.provider for name, each in after.providers.items() if name != table.id
    }
    return old < new and others == others_after
