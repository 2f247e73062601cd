"""What a reading of TOML comes to, for comparing two."""

from __future__ import annotations

from ratls_ls.config.toml.document import Document


def all_of(document: Document) -> list[object]:
    """All but what only makes the next reading fast."""
    sections = [
        (start, each.text, each.header, each.statements, each.issues, each.lost, each.ends_early)
        for start, each in document.sections
    ]
    groups = [(base, group.root, group.issues) for base, group in document.groups]
    return [sections, groups, document.issues, document.root, document.settled]
