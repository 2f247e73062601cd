"""Writes `docs/rules.md` from the rules themselves; `make docs` runs it, a test compares.

python docs/rules.py
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from ratls_ls.config.rules import RULES

FILE = Path(__file__).with_name("rules.md")
HEAD = """\
# Rules

What ratls-ls says of a `config.toml`, by code. Two programs read the file: the *RA-TLS fork* of Codex, which knows `use_ratls` and `ratls_policy`, and *upstream* Codex, which ignores both with a warning. This page is made from the rules by `make docs`.
"""
LIVE = """\
## Live status

These come from the provider's server, not from the text.

### attestation-affirmed

[information] All ten claims held when it was last attested, at the time shown.

### attestation-degraded

[warning] The policy lets the server pass, but its TCB status is not UpToDate or Intel lists advisories for it. Ask its operator to update; see what the status means in the hover.

### attestation-rejected

[error] A claim failed: the message says which, what was expected, what came and what to do. Nothing is sent to this server.

### attestation-unreachable

[warning] The host, or the PCCS, could not be reached: the message names it and the step. Nothing is sent.

### attestation-stale

[hint] The last attestation is too old to rely on or could not be renewed. Requests attest their own connection in any case.

### measurement-changed

[warning] A register differs from the one of the last affirmed attestation of this provider. A new version of its software, or another machine; pin the measurements that you expect.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    for rule in RULES:
        words = " ".join(dedent(rule.words).split())
        example = dedent(rule.example).strip("\n")
        parts.append(
            f"## {rule.code}\n\n[{rule.severity.value}] {words}\n\n```toml\n{example}\n```\n"
        )
    return "\n".join([*parts, LIVE])


if __name__ == "__main__":
    FILE.write_text(render(), "utf-8")
