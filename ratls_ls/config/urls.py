"""URLs as a config may have them.

Invariant: a URL without fault here is read the same way by every URL parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

from .hosts import address_of, is_loopback, refusal
from .words import holds_key

USER_INFORMATION = "has user information before the host"
KEY = "has a key in the place of its host"
QUERY = "has a query (?…)"
_PLAIN = re.compile(r"[!-~]+")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?", re.IGNORECASE)
_IPV6 = re.compile(r"\[[^\]]*\](:[0-9]+)?")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Url:
    """A URL without fault. `scheme` and `host` in lower case, `host` without brackets. Its `str` is
    what to go by: no other spelling of it means another host to anybody."""

    scheme: str
    host: str
    port: int | None
    path: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def refusal(self) -> str | None:
        """Why its host is never contacted: what it is. None if it may be."""
        return refusal(self.host)


@lru_cache(maxsize=64)  # several rules ask about one URL
def parse_url(text: str) -> Url | str:
    """The URL, or what is wrong with it: the end of a sentence that starts with "it"."""
    if not text:
        return "is empty"
    if not text.isascii():
        return "has characters that are not ASCII (write the host in punycode)"
    if not _PLAIN.fullmatch(text):
        ends = " at its end" if _PLAIN.fullmatch(text.rstrip()) else ""
        return f"has blanks or control characters{ends}"
    if "\\" in text:
        return "has a backslash"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "has no valid host and port"
    if parts.scheme not in ("http", "https") or not text[len(parts.scheme) :].startswith("://"):
        return "does not start with https://"
    if "@" in parts.netloc:
        return USER_INFORMATION
    host = (parts.hostname or "").lower()
    if not host:
        return "has no host"
    if holds_key(parts.netloc):
        return KEY  # to look it up would tell the name servers
    bracketed = parts.netloc.startswith("[")
    # Between bracket and colon some parsers see nothing, others a port or a host.
    if port == 0 or parts.netloc.endswith(":") or (bracketed and not _IPV6.fullmatch(parts.netloc)):
        return "has no valid port"
    if not _is_host(host, bracketed=bracketed):
        return "has no valid host"
    if "#" in text:
        return "has a fragment (#…)"
    if "?" in text:
        return QUERY
    if any(segment in (".", "..") for segment in parts.path.lower().replace("%2e", ".").split("/")):
        return "has . or .. in its path"
    return Url(parts.scheme, host, port, parts.path)


def _is_host(host: str, *, bracketed: bool) -> bool:
    if bracketed:
        return "%" not in host and isinstance(address_of(host), IPv6Address)
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # What ends in a number is an IPv4 address (WHATWG), and other spellings of one are traps.
        return isinstance(address_of(host), IPv4Address)
    return len(host) <= 253 and all(len(p) <= 63 and _LABEL.fullmatch(p) for p in labels)
