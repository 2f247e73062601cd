"""Evidence (RFC 9334): what the attester sent, unjudged.

Invariant: nothing of the `/tdx_quote` answer but the quote and the event log survives parsing.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_QUOTE_BYTES = 64 * 1024
MAX_EVENT_LOG_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Evidence:
    """`quote` as raw bytes; `event_log` as the JSON text of dstack's event list, None if absent.

    The event log is kept as text so that a malformed one fails the claim `event-log` alone.
    """

    quote: bytes
    event_log: str | None = None


def parse_quote_response(body: bytes) -> Evidence:
    """Evidence from the body of a 200 answer to `POST /tdx_quote`, read strictly.

    Raises EvidenceError (claim `quote-format`) for anything malformed, refused or not TDX.
    """
    raise NotImplementedError
