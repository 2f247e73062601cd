"""The interfaces and types of TypeScript in a text, as far as ours are written."""

from __future__ import annotations

import re
from typing import NamedTuple


class Field(NamedTuple):
    """`type` has the literals of a named union in place of its name."""

    optional: bool
    type: str


def unions(text: str) -> dict[str, str]:
    """Every exported type that is a union, such as `"passed" | "failed"`."""
    declared = re.findall(r"^export type (\w+) =([^;]+);", _bare(text), re.M)
    return {name: " ".join(body.split()).removeprefix("| ") for name, body in declared}


def interfaces(text: str) -> dict[str, dict[str, Field]]:
    """Every exported interface, by its fields."""
    named = unions(text)

    def resolved(kind: str) -> str:
        return re.sub(r"\w+", lambda word: named.get(word[0], word[0]), kind)

    bodies = re.findall(r"^export interface (\w+) \{\n(.*?)^\}", _bare(text), re.M | re.S)
    return {
        name: {
            field: Field(bool(optional), resolved(kind))
            for field, optional, kind in re.findall(r"^(?:\t|  )(\w+)(\??): (.+);$", body, re.M)
        }
        for name, body in bodies
    }


def _bare(text: str) -> str:
    """Without comments, and with one kind of quotes."""
    without = re.sub(r"/\*(?s:.*?)\*/|(?<!:)//.*", "", text)
    return re.sub(r"'([\w-]+)'", r'"\1"', without)
