"""What stands under a cursor means.

Invariant: text that a server or file gave is escaped, so it cannot draw links, images or lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ratls_ls.config.keys import BUILT_IN_IDS, PROVIDERS, KeyModel, find, reference
from ratls_ls.config.measurements import REGISTERS, digits_of
from ratls_ls.config.place import Place, place_at
from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.config.record import record
from ratls_ls.config.span import Span
from ratls_ls.config.toml.values import string_of
from ratls_ls.rats.result import AttestationResult, Claim, ClaimVerdict
from ratls_ls.status import ProviderStatus, State, StatusOf

from . import explain
from .diagnose import staleness
from .lenses import headline, provenance

_MARKS = {
    ClaimVerdict.PASSED: "✓",
    ClaimVerdict.FAILED: "✗",
    ClaimVerdict.NOT_REACHED: "·",
    ClaimVerdict.NOT_REQUIRED: "–",
}
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@]|(?<=:)/(?=/)|(?<=www)\.)", re.IGNORECASE)


@record(eq=True, slots=True)
class Hover:
    """`text` is Markdown."""

    span: Span
    text: str

    @property
    def plain(self) -> str:
        """For clients that show no Markdown."""
        lines = [line for line in self.text.split("\n") if not line.startswith("|---")]
        bare = "\n".join(line.strip("| ").replace(" | ", "  ") for line in lines)
        return re.sub(r"\\(.)", r"\1", bare.replace("`", "").replace("**", ""))


def hover(
    file: ConfigFile, offset: int, status: StatusOf, base: ConfigFile | None = None
) -> Hover | None:
    """What stands at `offset`; None if there is nothing to say. `base`: the user's own config, if
    this one is laid over it."""
    place = place_at(file, offset)
    if place is None:
        return None
    span = place.value.span if place.value is not None else place.key.span
    text = _text(file, place, status, base)
    return Hover(span, text) if text else None


def _text(file: ConfigFile, place: Place, status: StatusOf, base: ConfigFile | None) -> str:
    path, value = place.path, string_of(place.value)
    if (naming := reference(path)) is not None:
        if value is not None and value in BUILT_IN_IDS:
            return f"**{value}** · {explain.built_in(value)}"
        for defining in (file, base):
            if defining is not None and value is not None and value in defining.providers:
                return _provider(defining.providers[value], status)
        return _key(naming, naming.name)
    if path[0] != PROVIDERS or len(path) < 2 or path[1] not in file.providers:
        return ""
    table = file.providers[path[1]]
    if len(path) == 2:
        return _provider(table, status)
    model = find(*path[2:])
    if model is None:
        return ""
    dotted = ".".join(path[3:]) if path[2] == "ratls_policy" else ""
    if dotted == "allowed_tdx_status" and value is not None:
        return explain.status(value)
    parts = [_key(model, ".".join(path[2:])), *_live(table, dotted, value, status)]
    return "\n\n".join(parts)


def _key(model: KeyModel, name: str) -> str:
    return f"**{name}** · {model.kind.value}\n\n{explain.key(model)}"


def _live(table: ProviderTable, dotted: str, value: str | None, status: StatusOf) -> Iterator[str]:
    """What the live server shows for a key of the policy."""
    known = status(table.provider) if table.provider is not None else None
    result = known.result if known is not None else None
    if known is None or result is None:
        return
    when = " · ".join(provenance(known))
    if dotted == "allowed_tdx_status" and result.tcb_status:
        yield f"Live: `{escaped(result.tcb_status)}` · {when}"
    if dotted not in REGISTERS:
        return
    live = result.measurements.get(REGISTERS[dotted].value)
    if live is None:
        return
    yield f"Live: `{live}` · {when}"
    if value is not None and dotted != "app_compose":
        same = digits_of(value) == bytes.fromhex(live)
        yield "✓ the live value is the one pinned" if same else "✗ the live value is another one"


def _provider(table: ProviderTable, status: StatusOf) -> str:
    known = status(table.provider) if table.provider is not None else None
    lines = [f"**{escaped(table.id)}** · {escaped(headline(table, known))}"]
    result = known.result if known is not None else None
    if known is not None and result is not None:
        lines.append(_claims(result))
        if result.simulated:
            lines.append("**SIMULATED**: rests on a root that is not Intel's.")
        lines += _notes(known)
    return "\n\n".join(lines)


def _claims(result: AttestationResult) -> str:
    rows = [
        f"| {_MARKS[claim.verdict]} | {claim.name.value} | {escaped(_details(claim))} |"
        for claim in result.claims
    ]
    return "\n".join(["| | claim | |", "|---|---|---|", *rows])


def _details(claim: Claim) -> str:
    if claim.verdict is ClaimVerdict.FAILED:
        return claim.why
    return " · ".join(part for part in (claim.actual, claim.reason) if part)


def _notes(status: ProviderStatus) -> Iterator[str]:
    if status.what_if:
        yield "The policy was edited since; this is what the same evidence gives under it now."
    if status.state is State.STALE:
        yield f"{escaped(staleness(status))}."


def escaped(text: str) -> str:
    """`text` as one line of Markdown that means nothing but itself."""
    line = "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split())
    )
    return _MARKUP.sub(r"\\\1", line)
