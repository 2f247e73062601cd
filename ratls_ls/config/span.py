"""Positions in text. Offsets count code points, end exclusive; lines and columns are the edge's."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    start: int
    end: int
