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
_OPEN_STRING = {"Unterminated string", "Illegal character '\\n'", "Illegal character '\\r'"}
_OPEN_TABLE = {"Unclosed inline table", "Invalid initial character for a key part"}
_BOOLEANS = {"true", "false", "yes", "no", "on", "off"}


def why(text: str, reason: str, at: int, value: Span) -> tuple[Span, str]:
    """Span and message for the broken `value` (the key, where there is none), given where the
    parser stopped and its word for why."""
    word = _word(text, at, value)
    if (found := bad_escape(text, reason, at)) is not None:
        return found
    if reason in _OPEN_STRING or reason.startswith("Unescaped"):
        start = _open_quote(text, value, at)
        return _first_line(text, Span(start, value.end)), "This string is not closed"
    if reason.startswith("Illegal character") and word is not None:
        return word, "A control character must be written as an escape, as in `\\u0000`"
    if reason == NEWER_TOML:
        return value, (
            "TOML 1.0 does not have this: an inline table stands on one line with no comma at its"
            " end, times have seconds, and \\e and \\x are no escapes"
        )
    if reason == TOO_DEEP:
        return _first_line(text, value), "Nested too deeply: Codex's TOML reader gives up here"
    if reason == TOO_LONG:
        return word or value, "An integer has at most 64 bits"
    if reason == "Invalid value" and word is not None:
        return word, _no_value(word.of(text))
    if reason == "Invalid value" and text[value.start] == "[":
        return _first_line(text, value), "This array is not closed"
    if reason == "Invalid value":
        return value, "A value is missing after `=`"
    open_table = reason in _OPEN_TABLE and text[value.start] == "{"
    if open_table and (at >= value.end or text[at] in "\r\n"):
        return _first_line(text, value), "This inline table is not closed: `}` is missing"
    if reason in _OPEN_TABLE and word is not None and word.of(text) == ",":
        return word, "A key is missing before this comma"
    if reason == "Unclosed array" and word is not None:
        return word, "A comma, or the `]` of this array, is missing before this"
    if reason == "Unclosed array":
        return _first_line(text, value), "This array is not closed"
    if reason.startswith("Expected '='") and text[at : at + 1] == ":":
        return Span(at, at + 1), "TOML has `=` between a key and its value, not `:`"
    if reason.startswith("Expected '='"):
        return value, "`=` and a value are missing after this key"
    if reason.startswith("Expected newline") and text[at] == "\r":
        return Span(at, at + 1), "A carriage return alone is no line break in TOML"
    if reason.startswith("Expected newline") and word is not None:
        after_word = not text[at - 1].isspace() and text[value.start] not in "\"'[{"
        if after_word and text[at] not in ",;":
            return Span(value.start, word.end), _no_value(text[value.start : word.end])
        return Span(word.start, max(word.end, value.end)), "Only a comment may follow a value"
    return word or _first_line(text, value), f"Not TOML: {reason[:1].lower()}{reason[1:]}"


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


def _open_quote(text: str, value: Span, at: int) -> int:
    """Where the string starts that is still open at `at`, for a value on one line."""
    quote = max(text.rfind('"', value.start, at), text.rfind("'", value.start, at))
    return value.start if text[value.start] in "\"'" or quote == -1 else quote


def _first_line(text: str, value: Span) -> Span:
    end = text.find("\n", value.start, value.end)
    return value if end == -1 else Span(value.start, max(value.start + 1, end))
