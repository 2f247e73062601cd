"""What a provider received: all of it, so that a test can show what it did not.

Invariant: every decrypted byte is counted before anything interprets it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

QUOTE_PATH = "/tdx_quote"


@dataclass(slots=True)
class RecordedRequest:
    """One request as received so far. `size`: bytes on the wire, once it is whole."""

    method: str
    target: str
    header_names: tuple[str, ...]
    body: bytes = field(default=b"", repr=False)
    size: int = 0

    @property
    def is_quote(self) -> bool:
        return (self.method, self.target) == ("POST", QUOTE_PATH)


@dataclass(slots=True)
class RecordedConnection:
    """One TCP connection. `application_bytes`: decrypted, of whatever kind."""

    handshaken: bool = False
    closed: bool = False
    application_bytes: int = 0
    requests: list[RecordedRequest] = field(default_factory=list)

    @property
    def api_bytes(self) -> int:
        """Decrypted bytes that are not a whole quote request: what an unattested server must
        never see."""
        quotes = sum(request.size for request in self.requests if request.is_quote)
        return self.application_bytes - quotes

    @property
    def prompt_bytes(self) -> int:
        """Body bytes of API requests."""
        return sum(len(request.body) for request in self.requests if not request.is_quote)


@dataclass(slots=True)
class Record:
    """`connections` in the order of their arrival; `pccs_targets` in that of the requests."""

    connections: list[RecordedConnection] = field(default_factory=list)
    pccs_targets: list[str] = field(default_factory=list)
    _change: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def requests(self) -> list[RecordedRequest]:
        return [request for connection in self.connections for request in connection.requests]

    @property
    def api_bytes(self) -> int:
        return sum(connection.api_bytes for connection in self.connections)

    @property
    def prompt_bytes(self) -> int:
        return sum(connection.prompt_bytes for connection in self.connections)

    def changed(self) -> None:
        """Wake whoever waits for something to be recorded."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for(
        self,
        predicate: Callable[[Record], object],
        timeout: float = 5.0,  # noqa: ASYNC109 (a test's own patience)
    ) -> None:
        """Return as soon as `predicate` holds. Raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while not predicate(self):
                await self._change.wait()
