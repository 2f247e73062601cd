"""Evidence (RFC 9334): what the attester sent, unjudged.

Invariant: nothing of the `/tdx_quote` answer but the quote and the event log survives parsing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from . import strict_json
from .errors import EvidenceError, foreign
from .result import ClaimName
from .strict_json import StrictJsonError

MAX_QUOTE_BYTES = 64 * 1024
MAX_EVENT_LOG_BYTES = 1024 * 1024
_HEX = re.compile(r"[0-9a-fA-F]*")


@dataclass(frozen=True, slots=True)
class Evidence:
    """`quote` as raw bytes; `event_log` as the JSON text of dstack's event list, None if absent.

    The event log is kept as text so that a malformed one fails the claim `event-log` alone.
    """

    quote: bytes
    event_log: str | None = None

    @property
    def size(self) -> int:
        """About how many bytes it takes to keep."""
        return len(self.quote) + len(self.event_log or "")


def parse_quote_response(body: bytes) -> Evidence:
    """Evidence from the body of a 200 answer to `POST /tdx_quote`, read strictly.

    Raises EvidenceError (claim `quote-format`) for anything malformed, refused or not TDX.
    """
    try:
        answer = strict_json.loads(body)
    except StrictJsonError as error:
        raise _malformed(f"the quote answer cannot be read: {error}") from error
    if not isinstance(answer, dict):
        raise _malformed("the quote answer is not a JSON object")
    if answer.get("success") is not True:
        raise _malformed("the server says it could not make a quote; its operator's logs tell why")
    quote_type = answer.get("quote_type", "tdx")
    if quote_type != "tdx":
        raise _malformed(
            "the server offers no TDX quote (a mock, or another TEE)",
            expected="quote_type tdx",
            actual=f"quote_type {foreign(quote_type)}",
        )
    inner = answer.get("quote")
    if not isinstance(inner, dict):
        raise _malformed("the quote answer has no object `quote`")
    return Evidence(_quote(inner.get("quote")), _event_log(inner.get("event_log")))


def _quote(value: object) -> bytes:
    if not isinstance(value, str) or not value:
        raise _malformed("the quote answer has no text `quote.quote`")
    if len(value) > 2 * MAX_QUOTE_BYTES:
        raise _malformed(
            "the quote is too large",
            expected=f"at most {MAX_QUOTE_BYTES} bytes",
            actual=f"{len(value) // 2} bytes",
        )
    quote = from_hex(value)
    if quote is None:
        raise _malformed("the quote is not plain hex")
    return quote


def _event_log(value: object) -> str | None:
    """dstack servers send the log as text, some as a list; the claim `event-log` judges either."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value)


def from_hex(text: str) -> bytes | None:
    """The bytes of plain hex of either case; None for blanks, prefixes, odd lengths and the rest,
    some of which `bytes.fromhex` would take."""
    if len(text) % 2 or not _HEX.fullmatch(text):
        return None
    return bytes.fromhex(text)


def _malformed(
    reason: str, *, expected: str | None = None, actual: str | None = None
) -> EvidenceError:
    return EvidenceError(ClaimName.QUOTE_FORMAT, reason, expected=expected, actual=actual)
