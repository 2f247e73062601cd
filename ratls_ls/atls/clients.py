"""The clients in use, one for each Peer: providers that only differ otherwise share connections.

Invariant: an edited host or policy is another Peer and so gets another client; the old one's idle
connections are closed, its running requests end in peace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ratls_ls.config.model import Peer, Provider
from ratls_ls.rats.attestation import Attestation

from .client import AttestedClient
from .verifier import Verifier

MAX_CLIENTS = 64  # each may hold idle sockets


class Clients:
    """`on_attested` is told of every appraisal made for any of them, with the provider that the
    client was first asked for."""

    def __init__(
        self, verifier: Verifier, on_attested: Callable[[Provider, Attestation], None]
    ) -> None:
        self._verifier = verifier
        self._on_attested = on_attested
        self._clients: dict[Peer, AttestedClient] = {}  # the least recently used comes first
        self._closing: set[asyncio.Task[None]] = set()

    def get(self, provider: Provider) -> AttestedClient:
        client = self._clients.pop(provider.peer, None)
        if client is None:
            client = AttestedClient(
                provider,
                self._verifier,
                lambda attestation: self._on_attested(provider, attestation),
            )
        self._clients[provider.peer] = client
        if len(self._clients) > MAX_CLIENTS:
            self.retire(next(iter(self._clients)))
        return client

    def retire(self, peer: Peer) -> None:
        """Close its connections as soon as nothing runs on them."""
        if (client := self._clients.pop(peer, None)) is not None:
            task = asyncio.get_running_loop().create_task(client.retire())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def retire_all(self) -> None:
        for peer in list(self._clients):
            self.retire(peer)

    async def aclose(self) -> None:
        """Close all at once; running requests fail."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()
