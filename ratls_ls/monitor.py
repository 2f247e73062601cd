"""Owns the status of every watched provider, and decides when to look again.

Invariant: `watch` and `status` never wait; the network is touched only by `check`, which the
caller allows provider by provider.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from ratls_ls.atls.clients import Clients
from ratls_ls.atls.errors import AttestationRejectedError, UnreachableError
from ratls_ls.atls.verifier import Verifier
from ratls_ls.config.model import Provider
from ratls_ls.rats.attestation import Attestation
from ratls_ls.status import UNCHECKED, ProviderStatus, State, StatusError, judged

MAX_CHECKS_AT_ONCE = 8
FIRST_BACKOFF_SECONDS = 15.0
JITTER = 0.2


@dataclass(slots=True)
class _Entry:
    status: ProviderStatus
    check: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None
    failures: int = 0


class Monitor:
    """`on_change` is called after the status of a provider changed. `refresh_seconds` 0: only
    when asked."""

    def __init__(
        self,
        clients: Clients,
        verifier: Verifier,
        on_change: Callable[[Provider], None],
        refresh_seconds: float = 15 * 60.0,
    ) -> None:
        self._clients = clients
        self._verifier = verifier
        self._on_change = on_change
        self._refresh_seconds = refresh_seconds
        self._watched: dict[str, frozenset[Provider]] = {}
        self._entries: dict[Provider, _Entry] = {}
        # The newest evidence of each origin, to judge an edited policy by.
        self._latest: dict[tuple[str, str], tuple[Attestation, int]] = {}
        self._slots = asyncio.Semaphore(MAX_CHECKS_AT_ONCE)

    def status(self, provider: Provider) -> ProviderStatus:
        entry = self._entries.get(provider)
        return entry.status if entry is not None else UNCHECKED

    def watch(self, document: str, providers: Iterable[Provider]) -> None:
        """`document` now has these providers, and no others."""
        self._watched[document] = frozenset(providers)
        watched = frozenset().union(*self._watched.values())
        for provider in [known for known in self._entries if known not in watched]:
            self._forget(provider)
        for provider in watched:
            if provider not in self._entries:
                self._entries[provider] = _Entry(self._what_if(provider))
        self._clients.retain(watched)

    def unwatch(self, document: str) -> None:
        self.watch(document, ())
        del self._watched[document]

    def check(self, provider: Provider) -> asyncio.Task[None]:
        """Attest `provider` now over a fresh connection; a check under way is joined."""
        entry = self._entries.setdefault(provider, _Entry(self._what_if(provider)))
        if entry.check is None or entry.check.done():
            entry.check = asyncio.create_task(self._check(provider, entry))
        return entry.check

    def attested(self, provider: Provider, attestation: Attestation) -> None:
        """Take in an appraisal that some connection to `provider` just had."""
        at = attestation.result.appraised_at
        self._latest[provider.id, provider.origin] = (attestation, at)
        if (entry := self._entries.get(provider)) is not None:
            entry.failures = 0
            self._set(provider, entry, judged(attestation, at))
            self._schedule(provider, entry)

    def unreachable(self, provider: Provider, error: UnreachableError) -> None:
        """Take in that `provider` could not be reached. An earlier result turns stale."""
        if (entry := self._entries.get(provider)) is None:
            return
        entry.failures += 1
        earlier = entry.status
        state = State.STALE if earlier.attestation is not None else State.UNREACHABLE
        failure = StatusError(f"unreachable-{error.step.value}", str(error))
        self._set(provider, entry, replace(earlier, state=state, error=failure))
        self._schedule(provider, entry)

    def stop(self) -> None:
        """Watch nothing any more."""
        for provider in list(self._entries):
            self._forget(provider)

    async def _check(self, provider: Provider, entry: _Entry) -> None:
        before = entry.status
        async with self._slots:
            self._set(provider, entry, replace(before, state=State.CHECKING))
            try:
                await self._clients.get(provider).attest()
            except AttestationRejectedError:
                pass  # `attested` was told
            except UnreachableError as error:
                entry.status = before
                self.unreachable(provider, error)
            except BaseException:
                self._set(provider, entry, before)
                raise

    def _what_if(self, provider: Provider) -> ProviderStatus:
        """The newest evidence of this origin under this very policy."""
        found = self._latest.get((provider.id, provider.origin))
        if found is None:
            return UNCHECKED
        attestation, at = found
        again = attestation.under(
            self._verifier.policy(provider),
            now=int(self._verifier.clock()),
            anchors=self._verifier.anchors,
        )
        return judged(again, at, what_if=True)

    def _set(self, provider: Provider, entry: _Entry, status: ProviderStatus) -> None:
        if entry.status != status:
            entry.status = status
            self._on_change(provider)

    def _schedule(self, provider: Provider, entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        if not self._refresh_seconds:
            return
        delay = self._refresh_seconds
        if entry.failures:
            delay = min(delay, FIRST_BACKOFF_SECONDS * 2 ** (entry.failures - 1))
        delay *= random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (spreads load only)
        loop = asyncio.get_running_loop()
        entry.timer = loop.call_later(delay, self.check, provider)

    def _forget(self, provider: Provider) -> None:
        entry = self._entries.pop(provider)
        if entry.timer is not None:
            entry.timer.cancel()
        if entry.check is not None:
            entry.check.cancel()
