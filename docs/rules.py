"""Writes `docs/rules.md` from the rules themselves; `make docs` runs it, a test compares.

python docs/rules.py
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from ratls_ls.config.rules import RULES
from ratls_ls.language.diagnose import LIVE_CODES

FILE = Path(__file__).with_name("rules.md")
HEAD = """\
# Rules

What ratls-ls says of a `config.toml`, by code. Two programs read the file: the [RA-TLS fork](https://github.com/concrete-security/codex/blob/dcc571f9997b49b7f1fb28f5bb453d32db6ed121/codex-rs/docs/ratls-integration.md) of Codex, which knows `use_ratls` and `ratls_policy`, and *upstream* Codex, which ignores both with a warning. This page is made from the rules by `make docs`.
"""
LIVE = """\
## Live status

These come from the provider's server, not from the text.
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
    parts.append(LIVE)
    for code, (severity, words) in LIVE_CODES.items():
        parts.append(f"### {code}\n\n[{severity.value}] {words}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    FILE.write_text(render(), "utf-8")
