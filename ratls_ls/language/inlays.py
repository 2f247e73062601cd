"""Defaults in force, shown where they could be written.

Invariant: a hint says what happens now; what the text says itself gets none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ratls_ls.config.keys import RATLS_POLICY, RESERVED_IDS
from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.config.span import Span

_SHOWN = ("allowed_tdx_status", "pccs_url")
_WHY = "in force, since the policy does not say otherwise"


@dataclass(frozen=True, slots=True)
class Inlay:
    """`text` after the line that ends at `offset`; `why` it holds, and for whom."""

    offset: int
    text: str
    why: str


def inlays(file: ConfigFile, span: Span) -> list[Inlay]:
    """The hints within `span`."""
    found = (hint for table in file.providers.values() for hint in _of(table))
    return [hint for hint in found if span.contains(hint.offset)]


def _of(table: ProviderTable) -> Iterator[Inlay]:
    # What a profile's file leaves out is not the default's, but the base's.
    if not table.attested or table.under is not None or table.id in RESERVED_IDS:
        return
    policy = table.policy
    if table.policy_entry is not None and policy is None:
        return
    there = policy.entries if policy is not None else {}
    line_end = policy.line_end if policy is not None else table.table.line_end
    if line_end is None and table.policy_entry is not None:
        line_end = table.policy_entry.line_end
    missing = [RATLS_POLICY.by_name[name] for name in _SHOWN if name not in there]
    if not missing or line_end is None:
        return
    parts, why = [], [_WHY]
    for model in missing:
        part = f"{model.name} = {model.default}"
        # Without a policy the RA-TLS fork has a whole one of its own.
        if policy is not None and model.default_of is not None:
            part += f" ({model.default_of.value} alone)"
            why.append(model.codex)
        parts.append(part)
    yield Inlay(line_end, " · ".join(parts), ". ".join(why))
