"""Why a statement is not TOML, in words that say what to write.

Invariant: every reason gets a non-empty span within the statement.
"""

from __future__ import annotations

import re

from ratls_ls.config.span import Span

from .tree import NEWER_TOML, TOO_DEEP, TOO_LONG

NO_STATEMENT = "Not TOML: a line is `key = value`, `[table]` or a `# comment`"
NO_HEADER = (
    "Not TOML: a table header is `[name]`, with dots between names and quotes around odd ones"
)
UNCLOSED_HEADER = "This table header is not closed: `]` is missing"

_WORD = re.compile(r"[^\s,\]}#]+")
# Less its comment; a quote that is not closed reaches to its end.
_FIRST_LINE = re.compile(
    r"""(?:"(?:[^"\\\n]|\\[^\n])*"|'[^'\n]*'|["'][^\n]*|[^"'#\n])*+""",
)
# By what the parser says, which quote is missing.
_MISSING_QUOTES = {
    "Unterminated string": '"',
    "Illegal character '\\n'": '"',
    "Illegal character '\\r'": '"',
    "Unescaped '\\\\' in a string": '"',
    'Expected "\'"': "'",
    "Found invalid character '\\n'": "'",
    "Found invalid character '\\r'": "'",
    "Expected \"'''\"": "'''",
}
_NEWER = re.compile(
    r"'''.*?'''|'[^'\n]*'|#[^\n]*"
    r'|(?P<string>"""(?:[^\\]|\\.)*?"""|"(?:[^"\\\n]|\\[^\n])*")'
    r"|(?P<time>(?<![\d:])\d\d:\d\d(?![\d:]))|(?P<comma>,)(?=[ \t]*\})|[\[\]{}\n]",
    re.DOTALL,
)
_NEWER_ESCAPE = re.compile(r"(?:[^\\]|\\[^ex])*+(?P<escape>\\(?:e|x[0-9A-Fa-f]{2}))", re.DOTALL)
_NO_KEY = "Invalid initial character for a key part"
_OPEN_TABLE = {"Unclosed inline table", _NO_KEY}
_OTHER_QUOTES = "“”„‟‘’‚‛«»"
_BOOLEANS = {"true", "false", "yes", "no", "on", "off"}


def why(text: str, reason: str, at: int, value: Span) -> tuple[Span, str]:
    """Span and message for the broken `value` (the key, where there is none), given where the
    parser stopped and its word for why."""
    word = _word(text, at, value)
    if (found := bad_escape(text, reason, at)) is not None:
        return found
    if (quote := _MISSING_QUOTES.get(reason)) is not None:
        start = text.rfind(quote, value.start, at) if text[value.start] not in "\"'" else -1
        start = max(start, value.start)
        return first_line(text, Span(start, value.end)), "This string is not closed"
    if reason.startswith("Found invalid character") and word is not None:
        return word, "No control character may stand in '…' or in a comment"
    if reason.startswith("Illegal character") and word is not None:
        return word, "A control character must be written as an escape, as in `\\u0000`"
    if reason == NEWER_TOML:
        return _newer(text, value)
    if reason == TOO_DEEP:
        return first_line(text, value), "Nested too deeply: Codex's TOML reader gives up here"
    if reason == TOO_LONG:
        return word or value, "An integer has at most 64 bits"
    if reason == "Invalid value" and word is not None:
        return word, _no_value(word.of(text))
    if reason == "Invalid value" and text[value.start] == "[":
        return first_line(text, value), "This array is not closed"
    if reason == "Invalid value":
        return value, "A value is missing after `=`"
    open_table = reason in _OPEN_TABLE and text[value.start] == "{"
    if open_table and (at >= value.end or text[at] in "\r\n"):
        return first_line(text, value), "This inline table is not closed: `}` is missing"
    if reason in _OPEN_TABLE and word is not None and word.of(text) == ",":
        return word, "A key is missing before this comma"
    if reason == _NO_KEY and (found := _no_key(text, at, value, word)) is not None:
        return found
    if reason == "Unclosed inline table" and word is not None:
        return word, "A comma, or the `}` of this table, is missing before this"
    if reason == "Unclosed array" and word is not None:
        return word, "A comma, or the `]` of this array, is missing before this"
    if reason == "Unclosed array":
        return first_line(text, value), "This array is not closed"
    if reason.startswith("Expected '='") and text[at : at + 1] == ":":
        return Span(at, at + 1), "TOML has `=` between a key and its value, not `:`"
    if reason.startswith("Expected '='"):
        if text[value.start] in "[{":
            value = _key_before(text, at, value)
        elif at < value.end:
            value = first_line(text, value)
        return value, "`=` and a value are missing after this key"
    if reason.startswith("Expected newline") and text[at] == "\r":
        return Span(at, at + 1), "A carriage return alone is no line break in TOML"
    if reason.startswith("Expected newline") and word is not None:
        after_word = not text[at - 1].isspace() and text[value.start] not in "\"'[{"
        if after_word and text[at] not in ",;":
            return Span(value.start, word.end), _no_value(text[value.start : word.end])
        return first_line(
            text, Span(word.start, max(word.end, value.end))
        ), "Only a comment may follow a value"
    return word or first_line(text, value), f"Not TOML: {reason[:1].lower()}{reason[1:]}"


def bad_escape(text: str, reason: str, at: int) -> tuple[Span, str] | None:
    """Span and message for a backslash that is to be none, as in a path of Windows; None if that is
    not why."""
    escape = Span(at - 2, at)
    if not reason.startswith(("Unescaped", "Invalid hex value")):
        return None
    if not re.fullmatch(r"\\[^\r\n]", escape.of(text)):
        return None
    return (
        escape,
        f"`{escape.of(text)}` is no escape in a string: write `\\\\`, or '…' around it",
    )


def _no_value(word: str) -> str:
    """What cannot be read may be a secret without quotes, so it is not repeated."""
    if word in (",", "}", "]"):
        return f"A value is missing before this `{word}`"
    if word[0] in _OTHER_QUOTES:
        return f'TOML has straight quotes: write `"` for `{word[0]}`'
    if word.lower() in _BOOLEANS:
        return f"`{word}` is no TOML value: booleans are `true` and `false`"
    if word[0].isdigit():
        return "This is no TOML number, date or time; text needs quotes"
    return "This is no TOML value: text needs quotes"


def _word(text: str, at: int, value: Span) -> Span | None:
    if not value.start <= at < value.end:
        return None
    match = _WORD.match(text, at, value.end)
    if match is None and text[at].isspace():
        return None
    return Span(at, match.end()) if match else Span(at, at + 1)


def _no_key(text: str, at: int, value: Span, word: Span | None) -> tuple[Span, str] | None:
    """Span and message where a key, or a part of one, should start."""
    if word is not None and text[at] not in "=.":
        return word, "This key needs quotes: only A-Z, a-z, 0-9, `_` and `-` stand without"
    dot = text.rfind(".", value.start, at)
    if dot != -1 and not text[dot + 1 : at].strip(" \t"):
        return Span(dot, dot + 1), "A key is missing behind this dot"
    if word is not None:
        return Span(at, at + 1), f"A key is missing before this `{text[at]}`"
    return None


def _key_before(text: str, at: int, value: Span) -> Span:
    """What stands for a key in `value` that no `=` follows at `at`."""
    start = max(text.rfind(mark, value.start, at) for mark in "{,") + 1
    key = text[start:at]
    start += len(key) - len(key.lstrip())
    return Span(start, start + len(key.strip())) if key.strip() else value


def _newer(text: str, value: Span) -> tuple[Span, str]:
    """Span and message for the first thing in `value` that is newer than TOML 1.0."""
    opened: list[int] = []
    for match in _NEWER.finditer(text, value.start, value.end):
        found, span = match[0], Span(*match.span())
        in_table = opened and text[opened[-1]] == "{"
        if match["string"] and (escape := _NEWER_ESCAPE.match(found)) is not None:
            start = span.start + escape.start("escape")
            span = Span(start, start + len(escape["escape"]))
            digits = escape["escape"][2:] or "1B"
            return span, f"`{escape['escape']}` is no escape in TOML 1.0: write `\\u00{digits}`"
        if match["time"]:
            return span, "In TOML 1.0 a time has seconds, as in `07:32:00`"
        if match["comma"] and in_table:
            return span, "In TOML 1.0 no comma stands at the end of an inline table"
        if found == "\n" and in_table:
            open_table = first_line(text, Span(opened[-1], value.end))
            return open_table, "In TOML 1.0 an inline table stands on one line"
        if found in "[{":
            opened.append(span.start)
        elif found in "]}" and opened:
            opened.pop()
    return first_line(text, value), "TOML 1.0 does not have this"


def first_line(text: str, span: Span) -> Span:
    """The first line of `span`, without a comment."""
    found = _FIRST_LINE.match(text, *span)
    length = len(found[0].rstrip()) if found is not None else 0
    return Span(span.start, span.start + max(length, 1))
