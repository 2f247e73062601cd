"""Owns the status of every watched Peer, and decides when to look again.

Invariant: `watch` and `status` never wait; the network is touched only by `check`, and unasked only
for what a document has as saved, valid and trusted.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from ratls_ls.atls.clients import Clients
from ratls_ls.atls.errors import AttestationRejectedError, UnreachableError
from ratls_ls.atls.verifier import Verifier
from ratls_ls.config.model import Peer, Provider
from ratls_ls.history import History
from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.result import AttestationResult
from ratls_ls.status import UNCHECKED, ProviderStatus, State, StatusError, judged

MAX_CHECKS_AT_ONCE = 8
MAX_EVIDENCE = 256
MAX_EVIDENCE_BYTES = 16 * 1024 * 1024
MAX_WHAT_IFS_AT_ONCE = 2  # each takes some milliseconds
FIRST_BACKOFF_SECONDS = 15.0
JITTER = 0.2
# How long the connections of what was edited away are kept: undone edits are common.
LINGER_SECONDS = 60.0
# Timers stand still while a machine sleeps; the clock does not.
LONGEST_NAP_SECONDS = 15.0

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Entry:
    """Times are Unix seconds. `due`: when to check again; `left`: since when no document has it;
    `last`: the one that had it last."""

    provider: Provider
    status: ProviderStatus
    check: asyncio.Task[None] | None = None
    failures: int = 0
    due: float | None = None
    left: float | None = None
    last: str = ""


@dataclass(frozen=True, slots=True)
class _Watch:
    """What one document has. `unasked`: it may be contacted without the user asking."""

    providers: dict[Peer, Provider]
    unasked: bool


async def at_once() -> None:
    """What may begin now."""


class Monitor:
    """`on_change` is called after the status of a peer changed. `refresh_seconds` 0: only when
    asked. `settled` is awaited before anybody is contacted."""

    def __init__(
        self,
        clients: Clients,
        verifier: Verifier,
        on_change: Callable[[Peer], None],
        *,
        refresh_seconds: float = 15 * 60.0,
        history: History | None = None,
        settled: Callable[[], Awaitable[object]] = at_once,
    ) -> None:
        self._clients = clients
        self._verifier = verifier
        self._on_change = on_change
        self._refresh_seconds = refresh_seconds
        self._history = history or History(None)
        self._settled = settled
        # No connection of that attestation is used any more, and no newer one came.
        self._stale_seconds = max(verifier.max_age_seconds, 1.5 * refresh_seconds)
        self._watched: dict[str, _Watch] = {}
        self._entries: dict[Peer, _Entry] = {}
        # The newest evidence of each origin, to judge an edited policy by.
        self._evidence: dict[str, tuple[Peer, Attestation]] = {}
        self._unjudged: deque[Peer] = deque()
        self._slots = asyncio.Semaphore(MAX_CHECKS_AT_ONCE)
        self._judging: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None

    def status(self, peer: Peer) -> ProviderStatus:
        entry = self._entries.get(peer)
        return entry.status if entry is not None else UNCHECKED

    def is_known(self, peer: Peer) -> bool:
        """Whether `peer` was checked, under this very policy."""
        status = self.status(peer)
        found = status.attestation is not None or status.error is not None
        return found and not status.what_if

    def verified(self, origin: str) -> AttestationResult | None:
        """What the newest evidence of `origin` was affirmed with; None if it was refused, or that
        is too long ago to rely on."""
        found = self._evidence.get(origin)
        result = found[1].result if found is not None else None
        if result is None or not result.affirmed:
            return None
        return result if self._is_recent(result.appraised_at, self._verifier.clock()) else None

    # What is watched.

    def watch(
        self, document: str, providers: Iterable[Provider], *, saved: bool, unasked: bool
    ) -> None:
        """`document` now has these providers, and no others. `saved`: what is gone is gone for
        good. `unasked`: they may be contacted without the user asking."""
        old = self._watched.get(document, _Watch({}, unasked))
        new = _Watch({provider.peer: provider for provider in providers}, unasked)
        self._watched[document] = new
        for peer in new.providers.keys() - old.providers.keys():
            if self._enter(peer, new.providers[peer]).status is UNCHECKED:
                self._unjudged.append(peer)
        for peer in self._some_unjudged():
            self._entries[peer].status = self._known(peer)
        now = self._verifier.clock()
        for peer in old.providers.keys() - new.providers.keys():
            self._leave(peer, document, now)
        if saved:
            self._sweep(now, linger=0.0, last=document)
        if unasked and not old.unasked:  # what was due meanwhile is now
            self._wake_by(now)

    def unwatch(self, document: str) -> None:
        self.watch(document, (), saved=True, unasked=False)
        del self._watched[document]

    def stop(self) -> None:
        """Watch nothing any more. The clients stay as they are."""
        self._watched.clear()
        for entry in self._entries.values():
            if entry.check is not None:
                entry.check.cancel()
        self._entries.clear()
        self._unjudged.clear()
        if self._timer is not None:
            self._timer.cancel()

    # What happens.

    def check(self, provider: Provider) -> asyncio.Task[None]:
        """Attest `provider` now over a fresh connection; a check under way is joined."""
        entry = self._enter(provider.peer, provider)
        if entry.check is None or entry.check.done() or entry.check.cancelling():
            entry.check = asyncio.get_running_loop().create_task(self._check(entry))
        return entry.check

    def cancel_checks(self) -> None:
        """The user does not want to wait for what is being checked."""
        for entry in self._entries.values():
            if entry.check is not None:
                entry.check.cancel()

    def attested(self, peer: Peer, attestation: Attestation) -> None:
        """Take in an appraisal that some connection to `peer` just had."""
        self._evidence.pop(peer.origin, None)
        self._evidence[peer.origin] = (peer, attestation)
        self._forget_the_oldest()
        change = self._history.observe(attestation.result, peer.policy)
        if (entry := self._entries.get(peer)) is None:
            return
        had_failed, entry.failures = entry.failures > 0, 0
        status = judged(attestation, attestation.result.appraised_at, change=change)
        self._schedule(entry, self._refresh_seconds)
        self._set(peer, entry, status)
        if had_failed:
            self._network_is_back()

    def _forget_the_oldest(self) -> None:
        """Keep evidence of so many hosts and of so many bytes; that of the last in any case."""
        sizes = [
            attestation.evidence.size if isinstance(attestation.evidence, Evidence) else 0
            for _, attestation in self._evidence.values()
        ]
        total = sum(sizes)
        for origin, size in list(zip(self._evidence, sizes, strict=True))[:-1]:
            if len(self._evidence) <= MAX_EVIDENCE and total <= MAX_EVIDENCE_BYTES:
                return
            del self._evidence[origin]
            total -= size

    def unreachable(self, peer: Peer, error: UnreachableError) -> None:
        """Take in that `peer` could not be reached. An earlier result turns stale."""
        if (entry := self._entries.get(peer)) is not None:
            self._failed(peer, entry, StatusError.unreachable(error))

    def _failed(self, peer: Peer, entry: _Entry, error: StatusError) -> None:
        entry.failures += 1
        state = State.STALE if entry.status.attestation is not None else State.UNREACHABLE
        backoff = FIRST_BACKOFF_SECONDS * 2 ** min(entry.failures - 1, 16)
        self._schedule(entry, min(self._refresh_seconds, backoff))
        self._set(peer, entry, replace(entry.status, state=state, error=error))

    async def _check(self, entry: _Entry) -> None:
        peer, before = entry.provider.peer, entry.status
        try:
            async with self._slots:
                await self._settled()
                before = entry.status
                self._set(peer, entry, replace(before, state=State.CHECKING, error=None))
                await self._clients.get(entry.provider).attest()
        except AttestationRejectedError:
            pass  # `attested` was told
        except UnreachableError as error:
            self._failed(peer, entry, StatusError.unreachable(error))
        except asyncio.CancelledError:
            if entry.status.state is State.CHECKING:
                self._set(peer, entry, before)
            if entry.due is None and self._entries.get(peer) is entry:
                self._schedule(entry, self._refresh_seconds)
            raise
        except Exception as error:
            # Fails closed, and says so: nobody waits for this task.
            logger.error("%s during a check", type(error).__name__)
            message = f"internal error ({type(error).__name__}); please report it"
            self._failed(peer, entry, StatusError("internal", message))

    def _set(self, peer: Peer, entry: _Entry, status: ProviderStatus) -> None:
        if entry.status != status:
            entry.status = status
            self._on_change(peer)

    # Coming and going.

    def _enter(self, peer: Peer, provider: Provider) -> _Entry:
        entry = self._entries.get(peer)
        if entry is None:
            entry = self._entries[peer] = _Entry(provider, UNCHECKED)
        entry.left = None
        return entry

    def _leave(self, peer: Peer, document: str, now: float) -> None:
        entry = self._entries.get(peer)
        if entry is None or self._is_watched(peer):
            return
        entry.left, entry.last = now, document
        if entry.check is not None:
            entry.check.cancel()
        watched = chain.from_iterable(watch.providers for watch in self._watched.values())
        if all(peer.pccs_url != other.pccs_url for other in watched):
            self._verifier.store.stop(peer.pccs_url)
        self._wake_by(now + LINGER_SECONDS)

    def _sweep(self, now: float, *, linger: float, last: str | None = None) -> None:
        """Forget what no document has had for `linger` seconds. `last`: only what that one had
        last; another may be about to have its own again."""
        for peer, entry in list(self._entries.items()):
            if last not in (None, entry.last):
                continue
            if entry.left is not None and entry.left + linger <= now:
                del self._entries[peer]
                self._clients.retire(peer)

    def _is_watched(self, peer: Peer) -> bool:
        return any(peer in watch.providers for watch in self._watched.values())

    def _may_check(self, peer: Peer) -> bool:
        return any(watch.unasked and peer in watch.providers for watch in self._watched.values())

    def _some_unjudged(self) -> Iterator[Peer]:
        """A few of those that there may be evidence for; the others follow bit by bit."""
        for _ in range(MAX_WHAT_IFS_AT_ONCE):
            while self._unjudged:
                peer = self._unjudged.popleft()
                entry = self._entries.get(peer)
                if entry and entry.status is UNCHECKED and peer.origin in self._evidence:
                    yield peer
                    break
        if self._unjudged and (self._judging is None or self._judging.cancelled()):
            self._judging = asyncio.get_running_loop().call_soon(self._go_on_judging)

    def _go_on_judging(self) -> None:
        self._judging = None
        for peer in self._some_unjudged():
            self._set(peer, self._entries[peer], self._known(peer))

    def _known(self, peer: Peer) -> ProviderStatus:
        """What the newest evidence of this origin, which there is, says under this very policy."""
        judged_for, attestation = self._evidence[peer.origin]
        at = attestation.result.appraised_at
        now = self._verifier.clock()
        if judged_for != peer:
            policy = self._verifier.policy(peer)
            attestation = attestation.under(policy, now=int(now), anchors=self._verifier.anchors)
        change = self._history.compare(attestation.result, peer.policy)
        status = judged(attestation, at, what_if=judged_for != peer, change=change)
        return replace(status, state=State.STALE) if self._is_stale(status, now) else status

    # Time. All of it is wall-clock time, looked at once in a while.

    def _schedule(self, entry: _Entry, seconds: float) -> None:
        now = self._verifier.clock()
        self._wake_by(now + self._stale_seconds)
        if not self._refresh_seconds:
            entry.due = None
            return
        entry.due = now + seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 (spreads load only)
        self._wake_by(entry.due)

    def _network_is_back(self) -> None:
        now = self._verifier.clock()
        for entry in self._entries.values():
            if entry.failures and entry.due is not None:
                entry.due = now
        self._wake_by(now)

    def _wake_by(self, moment: float) -> None:
        """Look at everything at `moment`, or a nap from now, whichever comes first."""
        loop = asyncio.get_running_loop()
        seconds = min(max(moment - self._verifier.clock(), 0.0), LONGEST_NAP_SECONDS)
        if self._timer is not None and not self._timer.cancelled():
            if self._timer.when() <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer = loop.call_later(seconds, self._wake)

    def _wake(self) -> None:
        self._timer = None
        now = self._verifier.clock()
        self._sweep(now, linger=LINGER_SECONDS)
        latest = now + 2 * self._refresh_seconds
        for peer, entry in list(self._entries.items()):
            # A clock that was set back must not put checks off for ever.
            # What is being edited is checked once it is saved, or as it was again.
            overdue = entry.due is not None and (entry.due <= now or entry.due > latest)
            if overdue and self._may_check(peer):
                entry.due = None
                self.check(entry.provider)
            if self._is_stale(entry.status, now):
                self._set(peer, entry, replace(entry.status, state=State.STALE))
        if self._entries:
            moments = (entry.due for entry in self._entries.values() if entry.due is not None)
            ahead = (moment for moment in moments if moment > now)
            self._wake_by(min(ahead, default=now + LONGEST_NAP_SECONDS))

    def _is_stale(self, status: ProviderStatus, now: float) -> bool:
        return (
            status.state in (State.AFFIRMED, State.REJECTED)
            and status.checked_at is not None
            and not self._is_recent(status.checked_at, now)
        )

    def _is_recent(self, moment: float, now: float) -> bool:
        """As well as can be told: a moment far ahead is one whose clock was set back since."""
        return abs(now - moment) <= self._stale_seconds
