"""Wires the files, the monitor, the clients, the requests and the news together.

Invariant: that of the package.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ratls_ls import private_files
from ratls_ls.atls import transport
from ratls_ls.atls.clients import Clients
from ratls_ls.atls.errors import DeadlineError, UnreachableError, WithdrawnError
from ratls_ls.atls.verifier import TrustError, Verifier, build_verifier
from ratls_ls.audit import Audit
from ratls_ls.config.keys import DEFAULT_ID
from ratls_ls.config.model import Peer, Provider, origin_of
from ratls_ls.config.overlay import left_below
from ratls_ls.config.read import ConfigFile, ProviderTable
from ratls_ls.config.span import LineIndex, PositionEncoding
from ratls_ls.config.urls import parse_url
from ratls_ls.history import History
from ratls_ls.language.diagnose import Diagnostic
from ratls_ls.lsp import methods
from ratls_ls.lsp.methods import MethodError
from ratls_ls.lsp.params import AttestationStatusParams, AttestedRequestParams
from ratls_ls.lsp.result import Answer
from ratls_ls.monitor import Monitor, at_once
from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.result import AttestationResult
from ratls_ls.settings import Options, Settings, Trigger
from ratls_ls.status import ProviderStatus, State

from . import requests
from .files import Files, OpenFile
from .news import News
from .places import home_doubt
from .requests import Emit
from .shapes import built_in_default, problem_list


class Session:
    """`publish` shows the problems of one open file beside its live diagnostics, None if it is
    closed; `changed` tells of one ProviderStatus; `complain` tells the user of a setting that
    cannot be used. `settled` is awaited before anybody is contacted: the settings may be about to
    change."""

    def __init__(
        self,
        settings: Settings,
        options: Options,
        *,
        publish: Callable[[OpenFile, list[Diagnostic] | None], None],
        changed: Callable[[dict[str, Any]], None],
        complain: Callable[[str], None],
        encoding: PositionEncoding = PositionEncoding.UTF_16,
        environment: Mapping[str, str] | None = None,
        settled: Callable[[], Awaitable[object]] = at_once,
    ) -> None:
        self._options = options
        self._publish = publish
        self._complain = complain
        self._encoding = encoding
        self._environment = os.environ if environment is None else environment
        self._settled = settled
        self._complaints: frozenset[str] = frozenset()
        self._requests: dict[asyncio.Task[Any], Provider] = {}
        self._history = History(private_files.state_directory() / "measurements", complain)
        self._start(settings)
        self._files = Files(
            self.settings, self._environment, on_read=self._read, on_gone=self._gone
        )
        self._news = News(
            status=self.status,
            current=self._files.get,
            publish=publish,
            changed=changed,
            encoding=encoding,
        )

    def _start(self, settings: Settings) -> None:
        complaints = [f"setting {complaint}" for complaint in settings.complaints]
        if (doubt := home_doubt(settings.codex_home, self._environment)) is not None:
            complaints.append(doubt)
        try:
            verifier = self._build_verifier(settings, self._options)
        except TrustError as error:
            # Fewer roots than asked for, and no network: the safe side.
            complaints.append(f"{error}; nothing is contacted until that is mended")
            settings = replace(settings, trusted=False, ca_files=(), unsafe_root_ca=())
            verifier = self._build_verifier(settings, Options(), environment={})
        for complaint in complaints:
            if complaint not in self._complaints:
                self._complain(complaint)
        self._complaints = frozenset(complaints)
        self.settings = settings
        self._verifier = verifier
        directory = private_files.state_directory() / "audit"
        self._audit = Audit(directory, self._complain) if settings.audit else None
        self._clients = Clients(
            verifier, lambda provider, found: self._attested(verifier, provider, found)
        )
        self._monitor = Monitor(
            self._clients,
            verifier,
            self._status_changed,
            refresh_seconds=settings.refresh_minutes * 60,
            history=self._history,
            settled=self._settled,
        )

    def _build_verifier(
        self, settings: Settings, options: Options, environment: Mapping[str, str] | None = None
    ) -> Verifier:
        return build_verifier(
            ca_files=(*options.ca_files, *settings.ca_files),
            unsafe_root_ca=(*options.unsafe_root_ca, *settings.unsafe_root_ca),
            require_session_binding=settings.require_session_binding,
            max_age_seconds=settings.connection_max_age_minutes * 60,
            environment=self._environment if environment is None else environment,
        )

    # What the client does.

    def read_ahead(self, uri: str, text: str) -> Coroutine[Any, Any, None] | None:
        """Before `uri` gets this text: reads it without holding anything up. None if that does not
        take long."""
        return self._files.read_ahead(uri, text)

    def open(self, uri: str, text: str, version: int | None) -> None:
        """The client opened `uri`. Attests what is saved, valid and trusted."""
        entry = self._files.open(uri, text, version)
        if self.settings.trigger is Trigger.ON_OPEN_AND_SAVE:
            self._check_unasked(entry)

    def change(self, uri: str, text: str, version: int | None) -> None:
        """The client has another text. Attests what is saved after all, as somebody else may have
        written it, unless it was checked before."""
        entry = self._files.change(uri, text, version)
        if entry.saved and self.settings.trigger is Trigger.ON_OPEN_AND_SAVE:
            self._check_saved(entry, again=False)

    def save(self, uri: str) -> None:
        if (entry := self._files.save(uri)) is not None:
            self._watch_saved(entry)
            self._check_saved(entry)

    def close(self, uri: str) -> None:
        entry = self._files.get(uri)
        if entry is not None and entry.open and entry.served:
            self._publish(entry, None)
        with self._checking_what_is_saved_now(uri):
            self._files.close(uri)

    def changed_on_disk(self, uri: str) -> None:
        """The file at `uri` was written, made or removed by somebody."""
        with self._checking_what_is_saved_now(uri):
            self._files.reread(uri)

    @contextmanager
    def _checking_what_is_saved_now(self, uri: str) -> Iterator[None]:
        before = self._files.get(uri)
        was_saved = before is not None and before.saved
        yield
        entry = self._files.get(uri)
        if entry is not None and not was_saved:
            self._check_saved(entry, again=False)

    def configure(self, settings: Settings) -> None:
        """Take new settings. What they no longer allow ends at once, the rest in peace."""
        if settings == self.settings and not settings.complaints:
            return
        self._monitor.stop()
        self._clients.retire_all()
        self._verifier.store.stop()
        self._start(settings)
        if not self.settings.trusted:
            self._cancel_requests()
        self._files.configure(self.settings)
        if self.settings.trigger is Trigger.ON_OPEN_AND_SAVE:
            for entry in self._files.opened:
                self._check_unasked(entry)

    async def warm_up(self) -> None:
        """Load now what else a keystroke would have to wait for."""
        await transport.load()

    async def aclose(self) -> None:
        """Answer what still runs as cancelled, and close every connection."""
        self._monitor.stop()
        self._news.stop()
        cancelled = self._cancel_requests()
        await asyncio.gather(*cancelled, return_exceptions=True)
        await self._clients.aclose()
        self._verifier.store.stop()

    # What is known.

    def file(self, uri: str) -> OpenFile | None:
        """The open config `uri`; None if it is not open, or no Codex config."""
        entry = self._files.get(uri)
        return entry if entry is not None and entry.open and entry.served else None

    def index(self, uri: str) -> LineIndex | None:
        """Of the text of the open document `uri`, whatever that is."""
        entry = self._files.get(uri)
        return entry.index if entry is not None and entry.open else None

    def base(self, entry: OpenFile) -> ConfigFile | None:
        """The user's own config, if this one is laid over it."""
        found = self._files.base(entry)
        return found.file if found is not None else None

    def sharing(self, entry: OpenFile, provider: str) -> list[OpenFile]:
        """The configs in which this id means the same provider as in `entry`, that one first."""
        return self._files.sharing(entry, provider)

    @property
    def codex_home(self) -> Path:
        return self._files.codex_home

    def status(self, provider: Provider) -> ProviderStatus:
        if not self.settings.trusted:
            return ProviderStatus(State.UNTRUSTED)
        return self._monitor.status(provider.peer)

    def measured(self, table: ProviderTable) -> AttestationResult | None:
        """What the host of a provider was affirmed with last, be its text valid at the moment or
        not: for offering what to write there, never for a verdict."""
        url = parse_url(table.base_url or "")
        if not self.settings.trusted or isinstance(url, str) or url.scheme != "https":
            return None
        return self._monitor.verified(origin_of(url.host, url.port or 443))

    async def attestation_status(self, params: AttestationStatusParams) -> dict[str, Any]:
        """The result of `attestationStatus`. Raises MethodError."""
        await self._settled()
        if params.refresh and self.settings.trusted:
            await self.attest(params.uri, params.provider)
        providers = [self._news.json(*each) for each in self._meant(params.uri, params.provider)]
        defaults = [
            self._news.json(entry, name)
            for entry in self._entries(params.uri)
            for name in entry.foreign_default
            if params.provider in (None, name)
        ]
        if (
            params.uri is None
            and params.provider in (None, DEFAULT_ID)
            and self._files.default is None
        ):
            defaults.insert(0, built_in_default(self._files.default_uri))
        return {"providers": providers, "defaults": defaults}

    async def attest(self, uri: str | None, provider: str | None) -> int:
        """Attest now, because the user asks. Returns how many providers were meant.

        Raises MethodError if this is untrusted.
        """
        await self._settled()
        self._require_trust()
        tables = [entry.file.providers[name] for entry, name in self._meant(uri, provider)]
        checks = [self._monitor.check(table.provider) for table in tables if table.provider]
        await asyncio.gather(*checks, return_exceptions=True)
        return len(checks)

    def problems(self, uri: str | None, provider: str | None) -> list[dict[str, Any]]:
        """What is wrong with a provider, or with the configs themselves, as the wire has it."""
        return [
            problem
            for entry in self._entries(uri, provider)
            for problem in problem_list(entry, provider or "", self._encoding)
        ]

    def verified(self, uri: str, provider: str) -> tuple[OpenFile, AttestationResult]:
        """A config, and what its provider was affirmed with under the policy as it stands.

        Raises MethodError.
        """
        entry = self._files.named(uri)
        table = entry.file.providers.get(provider) if entry is not None else None
        if entry is None or table is None or table.provider is None:
            message = f"{provider} is no attested provider of this config"
            raise MethodError(methods.PROVIDER_NOT_ATTESTED, message, [])
        status = self.status(table.provider)
        result = status.result
        if status.state is not State.AFFIRMED or status.what_if or result is None:
            message = f"nothing of {provider} was just verified; save, attest, and try again"
            raise MethodError(methods.PROVIDER_NOT_ATTESTED, message, [])
        return entry, result

    def cancel_checks(self) -> None:
        """The user does not want to wait for what is being checked."""
        self._monitor.cancel_checks()

    def clear_cache(self) -> None:
        self._verifier.store.clear()

    def _meant(self, uri: str | None, provider: str | None) -> Iterator[tuple[OpenFile, str]]:
        """Each provider, and the config that has it. One that the profile `uri` selects and leaves
        as it is is among its own."""
        for entry in self._entries(uri, provider):
            names = entry.file.providers
            yield from ((entry, name) for name in names if provider in (None, name))
            left = left_below(entry.file) if uri is not None and provider is None else None
            if left is not None:
                yield from self._meant(uri, left)

    def _entries(self, uri: str | None, provider: str | None = None) -> list[OpenFile]:
        """The config `uri`, or the one that defines its `provider`; None: the user-level one, and
        every open one."""
        if uri is not None:
            files = self._files
            entry = files.named(uri) if provider is None else files.defining(uri, provider)
            return [entry] if entry is not None else []
        default = self._files.default
        opened = [entry for entry in self._files.opened if entry is not default]
        return opened if default is None else [default, *opened]

    # Requests.

    async def attested_request(self, params: AttestedRequestParams, emit: Emit) -> Answer:
        """The result of `attestedRequest`; parts of a streamed one go to `emit`.

        Raises MethodError.
        """
        await self._settled()
        self._require_trust()
        provider = requests.find_provider(self._files, params, self._encoding)
        request = requests.prepared(provider, params, self._environment)
        client, outcome, evidence = self._clients.get(provider), methods.REQUEST_CANCELLED, None
        terms = self._verifier.terms

        def is_meant() -> bool:
            """Whether it would be the same, to the same peer and judged alike, if it came now."""
            try:
                self._require_trust()
                found = requests.find_provider(self._files, params, self._encoding)
                same = requests.prepared(found, params, self._environment) == request
            except MethodError:
                return False
            return same and found.peer == provider.peer and self._verifier.terms == terms

        try:
            with self._cancellable(provider):
                answer = await requests.send(client, provider, request, params, emit, is_meant)
            outcome = answer.members["status"]
            evidence = answer.members["attestation"]["evidenceSha256"]
            return answer
        except MethodError as error:
            outcome = error.code
            cause = error.__cause__
            # Neither a caller's impatience nor another mind says anything about the provider.
            own = isinstance(cause, (DeadlineError, WithdrawnError))
            if isinstance(cause, UnreachableError) and not own:
                self._monitor.unreachable(provider.peer, cause)
            raise
        finally:
            if self._audit is not None:
                now = int(self._verifier.clock())
                self._audit.request(now, provider.id, provider.origin, evidence, outcome)

    def _require_trust(self) -> None:
        if not self.settings.trusted:
            raise MethodError(
                methods.UNTRUSTED,
                "this workspace is not trusted, so nothing is sent; trust it to go on",
            )

    @contextmanager
    def _cancellable(self, provider: Provider) -> Iterator[None]:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request runs in a task")
        self._requests[task] = provider
        try:
            yield
        finally:
            del self._requests[task]

    def _cancel_requests(self) -> list[asyncio.Task[Any]]:
        running = list(self._requests)
        for task in running:
            task.cancel()
        return running

    # What changes.

    def _read(self, entry: OpenFile) -> None:
        """A file has a new text, or is known only now."""
        if entry.saved:
            self._watch_saved(entry)
        else:
            self._watch(entry)
        self._news.show(entry)
        self._news.tell_soon(entry)

    def _gone(self, entry: OpenFile) -> None:
        self._monitor.unwatch(entry.key)
        self._news.tell_end(entry)

    def _watch_saved(self, entry: OpenFile) -> None:
        for each in self._files.read_from(entry):
            self._watch(each)

    def _watch(self, entry: OpenFile) -> None:
        may_contact, saved = self._may_contact_unasked(entry), self._files.is_saved(entry)
        self._monitor.watch(entry.key, entry.providers, saved=saved, unasked=may_contact)

    def _check_saved(self, entry: OpenFile, *, again: bool = True) -> None:
        """`again`: also what was checked before, as it stands."""
        for each in self._files.read_from(entry):
            self._check_unasked(each, again=again)

    def _check_unasked(self, entry: OpenFile, *, again: bool = True) -> None:
        if self._may_contact_unasked(entry):
            # The one that the next prompt goes to is to be ready first.
            default = entry.default_id
            for provider in sorted(entry.providers, key=lambda each: each.id != default):
                if again or not self._monitor.is_known(provider.peer):
                    self._monitor.check(provider)

    def _may_contact_unasked(self, entry: OpenFile) -> bool:
        allowed = self.settings.trusted and self.settings.trigger is not Trigger.MANUAL
        return allowed and entry.open and self._files.is_saved(entry)

    def _attested(self, verifier: Verifier, provider: Provider, attestation: Attestation) -> None:
        if self._audit is not None:
            # Several may share connections; that of a request was made within its task.
            task = asyncio.current_task()
            asker = self._requests.get(task, provider) if task is not None else provider
            self._audit.attestation(asker.id, attestation)
        if self._verifier.terms == verifier.terms:  # else the settings it was judged by are gone
            self._monitor.attested(provider.peer, attestation)

    def _status_changed(self, peer: Peer) -> None:
        for entry in self._files.all:
            for name in entry.ids.get(peer, ()):
                self._news.tell(entry, name, self._news.status_of(entry, name))
            # While it is checked again, what was found before stays shown.
            if peer in entry.ids and self._monitor.status(peer).state is not State.CHECKING:
                self._news.show_soon(entry)
