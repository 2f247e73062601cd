"""The open files, the settings, and everything that follows from them.

Invariant: untrusted, nothing is contacted and no key is read. Unasked, only what is saved, valid
and trusted is contacted. One document's fault never touches another's.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ratls_ls.atls.clients import Clients
from ratls_ls.atls.errors import (
    AttestationRejectedError,
    BrokenResponseError,
    RefusedRequestError,
    UnreachableError,
)
from ratls_ls.atls.request import RequestParameters, prepare
from ratls_ls.atls.verifier import Verifier, build_verifier
from ratls_ls.config.check import Context, check
from ratls_ls.config.model import Provider
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.read import ConfigFile, read
from ratls_ls.config.span import LineIndex, PositionEncoding, Span
from ratls_ls.language.diagnose import Diagnostic, diagnose
from ratls_ls.lsp import answer, methods
from ratls_ls.lsp.methods import AttestationStatusParams, AttestedRequestParams, MethodError
from ratls_ls.monitor import Monitor
from ratls_ls.rats.attestation import Attestation
from ratls_ls.settings import Settings, Trigger
from ratls_ls.status import ProviderStatus, State

MAX_FILE_BYTES = 16 * 1024 * 1024
RESERVED = frozenset({"openai", "ollama", "lmstudio"})
Emit = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class OpenFile:
    """One config as the client has it now. `saved`: its text is what is on disk."""

    uri: str
    text: str
    version: int | None
    file: ConfigFile
    problems: list[Problem]
    served: bool
    saved: bool
    index: LineIndex = field(init=False)

    def __post_init__(self) -> None:
        self.index = LineIndex(self.text)

    @property
    def providers(self) -> list[Provider]:
        if not self.served:
            return []
        return [table.provider for table in self.file.providers.values() if table.provider]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says: files that are trusted beside those of the settings."""

    ca_files: tuple[Path, ...] = ()
    unsafe_root_ca: tuple[Path, ...] = ()


class Session:
    """`publish` shows the diagnostics of one file; `changed` tells of one ProviderStatus."""

    def __init__(
        self,
        settings: Settings,
        options: Options,
        *,
        publish: Callable[[OpenFile, list[Diagnostic]], None],
        changed: Callable[[dict[str, Any]], None],
        encoding: PositionEncoding = PositionEncoding.UTF_16,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Raises TrustError for a file named as trusted that cannot be used."""
        self._options = options
        self._publish = publish
        self._changed = changed
        self._encoding = encoding
        self._environment = os.environ if environment is None else environment
        self._files: dict[str, OpenFile] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._start(settings)

    def _start(self, settings: Settings) -> None:
        self.settings = settings
        self._verifier: Verifier = build_verifier(
            ca_files=(*self._options.ca_files, *settings.ca_files),
            unsafe_root_ca=(*self._options.unsafe_root_ca, *settings.unsafe_root_ca),
            require_session_binding=settings.require_session_binding,
            max_age_seconds=settings.connection_max_age_minutes * 60,
            environment=self._environment,
        )
        self._clients = Clients(self._verifier, self._attested)
        self._monitor = Monitor(
            self._clients, self._verifier, self._status_changed, settings.refresh_minutes * 60
        )

    # Files.

    def open(self, uri: str, text: str, version: int | None) -> None:
        """The client opened `uri`. Attests what is saved, valid and trusted."""
        entry = self._read(uri, text, version, saved=_disk_text(uri) == text)
        if self.settings.trigger is Trigger.ON_OPEN_AND_SAVE:
            self._check_unasked(entry)

    def change(self, uri: str, text: str, version: int | None) -> None:
        self._read(uri, text, version, saved=False)

    def save(self, uri: str) -> None:
        entry = self._files.get(uri)
        if entry is None:
            return
        entry.saved = True
        if self.settings.trigger is not Trigger.MANUAL:
            self._check_unasked(entry)

    def close(self, uri: str) -> None:
        entry = self._files.pop(uri, None)
        if entry is not None:
            self._monitor.unwatch(uri)
            self._publish(entry, [])

    def file(self, uri: str) -> OpenFile | None:
        """The open config `uri`; None if it is not open, or no Codex config."""
        entry = self._files.get(uri)
        return entry if entry is not None and entry.served else None

    def configure(self, settings: Settings) -> None:
        """Take new settings. Raises TrustError and keeps the old ones."""
        old_clients, old_monitor = self._clients, self._monitor
        self._start(settings)
        old_monitor.stop()
        self._in_background(old_clients.aclose())
        for entry in list(self._files.values()):
            refreshed = self._read(entry.uri, entry.text, entry.version, saved=entry.saved)
            if settings.trigger is not Trigger.MANUAL:
                self._check_unasked(refreshed)

    async def aclose(self) -> None:
        self._monitor.stop()
        await self._clients.aclose()

    def status(self, provider: Provider) -> ProviderStatus:
        if not self.settings.trusted:
            return ProviderStatus(State.UNTRUSTED)
        return self._monitor.status(provider)

    def _read(self, uri: str, text: str, version: int | None, *, saved: bool) -> OpenFile:
        previous = self._files.get(uri)
        file = read(text, previous.file if previous is not None else None)
        entry = OpenFile(
            uri=uri,
            text=text,
            version=version,
            file=file,
            problems=check(file, self._context(uri)),
            served=self._is_served(uri, file) or (previous is not None and previous.served),
            saved=saved,
        )
        self._files[uri] = entry
        self._monitor.watch(uri, entry.providers)
        self._show(entry)
        return entry

    def _show(self, entry: OpenFile) -> None:
        shown = diagnose(entry.file, entry.problems, self.status) if entry.served else []
        self._publish(entry, shown)

    def _context(self, uri: str) -> Context:
        path = uri_path(uri)
        in_project = path is not None and path.parent.name == ".codex" and not self._at_home(path)
        names = frozenset(self._environment) if self.settings.trusted else None
        return Context(kind="project" if in_project else "user", environment=names)

    def _is_served(self, uri: str, file: ConfigFile) -> bool:
        path = uri_path(uri)
        if path is not None and path.name == "config.toml" and path.parent.name == ".codex":
            return True
        named = path is not None and (
            path.name == "config.toml" or path.name.endswith(".config.toml")
        )
        if path is not None and named and self._at_home(path):
            return True
        return file.is_codex_config

    def _at_home(self, path: Path) -> bool:
        return path.parent == self.codex_home

    @property
    def codex_home(self) -> Path:
        return codex_home(self.settings.codex_home, self._environment)

    # Status.

    def _check_unasked(self, entry: OpenFile) -> None:
        if self.settings.trusted and entry.saved and entry.served:
            for provider in entry.providers:
                self._monitor.check(provider)

    def _attested(self, provider: Provider, attestation: Attestation) -> None:
        self._monitor.attested(provider, attestation)

    def _status_changed(self, provider: Provider) -> None:
        for entry in list(self._files.values()):
            if entry.served and provider in entry.providers:
                self._show(entry)
                self._changed(self._provider_status(entry, provider.id))

    async def attestation_status(self, params: AttestationStatusParams) -> dict[str, Any]:
        """The result of `attestationStatus`. Raises MethodError."""
        if params.refresh and self.settings.trusted:
            await self.attest(params.uri, params.provider)
        entries = self._entries(params.uri)
        shapes = [
            self._provider_status(entry, name)
            for entry in entries
            for name in entry.file.providers
            if params.provider is None or name == params.provider
        ]
        return {"providers": shapes}

    async def attest(self, uri: str | None, provider: str | None) -> None:
        """Attest now, because the user asks. Raises MethodError if this is untrusted."""
        self._require_trust()
        checks = [
            self._monitor.check(candidate)
            for entry in self._entries(uri)
            for candidate in entry.providers
            if provider is None or candidate.id == provider
        ]
        await asyncio.gather(*checks, return_exceptions=True)

    def clear_cache(self) -> None:
        self._verifier.store.clear()

    def _entries(self, uri: str | None) -> Iterable[OpenFile]:
        if uri is None:
            opened = [entry for entry in self._files.values() if entry.served]
            home = self._default_uri()
            return opened if home in self._files else [*opened, *self._from_disk(home)]
        entry = self._files.get(uri)
        if entry is not None:
            return [entry] if entry.served else []
        return self._from_disk(uri)

    def _provider_status(self, entry: OpenFile, name: str) -> dict[str, Any]:
        table = entry.file.providers[name]
        if not table.attested:
            status = ProviderStatus(State.DISABLED)
        elif table.provider is None:
            status = ProviderStatus(State.INVALID)
        else:
            status = self.status(table.provider)
        return {
            **status.to_json(name),
            "uri": entry.uri,
            "range": range_json(entry.index, table.span, self._encoding),
        }

    # Requests.

    async def attested_request(self, params: AttestedRequestParams, emit: Emit) -> dict[str, Any]:
        """The result of `attestedRequest`; parts of a streamed one go to `emit`.

        Raises MethodError.
        """
        self._require_trust()
        started = time.monotonic()
        provider = self._provider(params)
        try:
            request = prepare(
                provider,
                RequestParameters(
                    path=params.path,
                    method=params.method,
                    headers=params.headers,
                    query=params.query,
                    body=params.body,
                    content_type=params.content_type,
                ),
                self._environment,
            )
            client = self._clients.get(provider)
            async with client.send(request, params.timeout_ms / 1000) as response:
                body: dict[str, Any] = {}
                if params.partial_result_token is None:
                    body = await answer.collect(response)
                else:
                    await emit(answer.head(response, provider.id))
                    async for part in answer.parts(response):
                        await emit(part)
        except RefusedRequestError as error:
            raise methods.invalid_params(error.where, str(error)) from error
        except AttestationRejectedError as error:
            shape = error.result.to_json(provider.id)
            raise MethodError(methods.ATTESTATION_REJECTED, str(error), shape) from error
        except UnreachableError as error:
            self._monitor.unreachable(provider, error)
            where = {"step": error.step.value, "host": error.host}
            raise MethodError(methods.UNREACHABLE, str(error), where) from error
        except BrokenResponseError as error:
            received = {"received": error.received}
            raise MethodError(methods.BROKEN_RESPONSE, str(error), received) from error
        timings = response.timings
        return {
            "status": response.status,
            "headers": [list(header) for header in response.headers],
            **body,
            "complete": True,
            "attestation": response.attestation.result.to_json(provider.id),
            "timings": {
                "connectMs": round(timings.connect_ms, 1),
                "attestMs": round(timings.attest_ms, 1),
                "firstByteMs": round(timings.first_byte_ms, 1),
                "totalMs": round((time.monotonic() - started) * 1000, 1),
                "reusedConnection": timings.reused,
            },
        }

    def _require_trust(self) -> None:
        if not self.settings.trusted:
            raise MethodError(
                methods.UNTRUSTED,
                "this workspace is not trusted, so nothing is sent; trust it to go on",
            )

    def _provider(self, params: AttestedRequestParams) -> Provider:
        """The provider meant. Raises MethodError."""
        entry = self._config_of(params)
        table = entry.file.providers.get(params.provider) if entry is not None else None
        if params.provider in RESERVED or entry is None or table is None or not table.attested:
            raise MethodError(
                methods.PROVIDER_NOT_ATTESTED,
                self._why_not_attested(params.provider, known=table is not None),
                self._problem_list(entry, params.provider) if entry is not None else [],
            )
        if table.provider is None:
            raise MethodError(
                methods.INVALID_POLICY,
                f"provider {params.provider} has errors in its configuration; nothing was sent",
                self._problem_list(entry, params.provider),
            )
        return table.provider

    def _why_not_attested(self, provider: str, *, known: bool) -> str:
        if provider in RESERVED:
            return f"{provider} is a reserved id: a table under it is ignored"
        if known:
            return f"provider {provider} is not attested: set use_ratls = true"
        return f"no config has a provider {provider}"

    def _config_of(self, params: AttestedRequestParams) -> OpenFile | None:
        if params.uri is not None:
            return next(iter(self._entries(params.uri)), None)
        home = self._default_uri()
        own = self._files.get(home) or next(iter(self._from_disk(home)), None)
        if own is not None and params.provider in own.file.providers:
            return own
        others = [
            entry
            for entry in self._files.values()
            if entry.served and params.provider in entry.file.providers
        ]
        if len(others) > 1:
            raise methods.invalid_params(
                "uri", "several open configs have this provider; say which"
            )
        return others[0] if others else own

    def _problem_list(self, entry: OpenFile, provider: str) -> list[dict[str, Any]]:
        return [
            problem_json(problem, entry.uri, entry.index, self._encoding)
            for problem in entry.problems
            if problem.provider == provider or problem.severity is Severity.ERROR
        ]

    def _default_uri(self) -> str:
        return (self.codex_home / "config.toml").absolute().as_uri()

    def _from_disk(self, uri: str) -> list[OpenFile]:
        text = _disk_text(uri)
        if text is None:
            return []
        file = read(text)
        if not self._is_served(uri, file):
            return []
        problems = check(file, self._context(uri))
        return [OpenFile(uri, text, None, file, problems, served=True, saved=True)]

    def _in_background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def codex_home(setting: Path | None, environment: Mapping[str, str]) -> Path:
    """Where Codex keeps its user-level config."""
    if setting is not None:
        return setting
    if named := environment.get("CODEX_HOME"):
        return Path(named)
    return Path.home() / ".codex"


def uri_path(uri: str) -> Path | None:
    """The local path of a file URI; None for any other."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    return Path(unquote(parts.path))


def range_json(index: LineIndex, span: Span, encoding: PositionEncoding) -> dict[str, Any]:
    """An LSP range."""
    start, end = index.position(span.start, encoding), index.position(span.end, encoding)
    return {"start": start._asdict(), "end": end._asdict()}


def problem_json(
    problem: Problem, file: str, index: LineIndex, encoding: PositionEncoding
) -> dict[str, Any]:
    """One entry of a problem list, as `ratls-ls check --format json` gives it."""
    shape: dict[str, Any] = {
        "file": file,
        "code": problem.code,
        "severity": problem.severity.value,
        "range": range_json(index, problem.span, encoding),
        "message": problem.message,
    }
    if problem.fixes:
        shape["fix"] = problem.fixes[0].title
    return shape


def _disk_text(uri: str) -> str | None:
    """The text of a file as it is on disk; None if it cannot be had."""
    path = uri_path(uri)
    try:
        if path is None or path.stat().st_size > MAX_FILE_BYTES:
            return None
        with path.open(encoding="utf-8", newline="") as stream:
            return stream.read()
    except (OSError, UnicodeError):
        return None
