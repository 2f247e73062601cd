"""The clients in use, one for each Provider value.

Invariant: a provider whose network identity or policy changed is another value and so gets
another client; the old one's idle connections are closed, its running requests end in peace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from ratls_ls.config.model import Provider
from ratls_ls.rats.attestation import Attestation

from .client import AttestedClient
from .verifier import Verifier


class Clients:
    """`on_attested` is told of every appraisal made for any of them."""

    def __init__(
        self, verifier: Verifier, on_attested: Callable[[Provider, Attestation], None]
    ) -> None:
        self._verifier = verifier
        self._on_attested = on_attested
        self._clients: dict[Provider, AttestedClient] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def get(self, provider: Provider) -> AttestedClient:
        client = self._clients.get(provider)
        if client is None:
            client = AttestedClient(
                provider,
                self._verifier,
                lambda attestation: self._on_attested(provider, attestation),
            )
            self._clients[provider] = client
        return client

    def retain(self, providers: Iterable[Provider]) -> None:
        """Retire every client whose provider is not among `providers`."""
        if not self._clients:
            return
        wanted = set(providers)
        for provider in [known for known in self._clients if known not in wanted]:
            task = asyncio.create_task(self._clients.pop(provider).retire())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Close all at once; running requests fail."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()
