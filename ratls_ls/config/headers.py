"""Which header fields a request may be given."""

from __future__ import annotations

import re

HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A token (RFC 9110 section 5.6.2)."""

FRAMING = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "proxy-authorization",
        "proxy-connection",
    }
)
"""Framing and hop-by-hop fields, in lower case: they are the connection's (RFC 9110 section 7.6.1).
"""
