"""The strings in an array that is not TOML as a whole.

Invariant: a string counts only where it surely is a whole element: a quote that is not closed
makes none of what follows it on its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ratls_ls.config.span import Span

from .pieces import BRACKET

_ELEMENT = re.compile(
    r'(?:^|[\[,])[ \t]*(?P<string>"[^"\\\n]*"|\'[^\'\n]*\')[ \t]*(?=[,\]#\r\n]|\Z)'
    rf"|{BRACKET.pattern}",
    re.DOTALL | re.MULTILINE,
)


def whole_strings(source: str, at: int) -> Iterator[tuple[str, Span]]:
    """Of an array's `source`, which stands at `at`: those without escapes, on one line each."""
    for match in _ELEMENT.finditer(source):
        start, end = match.span("string")
        if start >= 0:
            yield source[start + 1 : end - 1], Span(at + start, at + end)
