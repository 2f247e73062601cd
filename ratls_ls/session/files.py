"""The configs in play: those the client has open, and those on disk that somebody asked about.

Invariant: an open document's text is the truth, whatever the disk says; a file that is not open is
what is on disk at the moment it is asked for.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ratls_ls.cached import cached_property
from ratls_ls.config.check import Context, check
from ratls_ls.config.keys import BUILT_IN_IDS, DEFAULT_ID
from ratls_ls.config.model import Peer, Provider
from ratls_ls.config.overlay import UNREADABLE, base_of
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.read import ConfigFile, read
from ratls_ls.config.span import LineIndex
from ratls_ls.config.tables import Base, Part
from ratls_ls.settings import Settings
from ratls_ls.stamps import Stamp, stamp_at
from ratls_ls.status import ProviderStatus

from .places import Place, Places, are_same, codex_home, is_nothing_at, mode_at, text_at

if TYPE_CHECKING:
    from ratls_ls.lsp.convert import Rendered

MAX_CLOSED_FILES = 16
MAX_PROFILES = 64
# In characters: what takes more than a few milliseconds to read again, and what to read at first.
LONG_TEXT = 64 * 1024
LONG_NEWS = 8 * 1024


class _Judged(NamedTuple):
    """A text, read, and judged in a context."""

    file: ConfigFile
    context: Context


def _judged(text: str, context: Context, previous: ConfigFile | None) -> _Judged:
    file = read(text, previous, context.base)
    return _Judged(file, context)


@dataclass(eq=False)
class OpenFile:
    """One config at one moment. `open`: the client has it so, else it is from disk. `on_disk`: the
    text that its file had last. `told`: the status of each provider that the client knows of;
    `told_default`: the default one that it knows of; `rendered`: the problems that it was shown."""

    uri: str
    place: Place
    text: str = field(repr=False)
    version: int | None
    file: ConfigFile
    context: Context
    served: bool
    on_disk: str | None = field(repr=False)
    open: bool = True
    told: dict[str, ProviderStatus] = field(default_factory=dict)
    told_default: str | None = None
    stamp: Stamp | None = None
    rendered: dict[Part, Rendered] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> str:
        """The same for every spelling of its URI."""
        return self.place.key

    @property
    def saved(self) -> bool:
        """Whether its text is what is on disk."""
        return self.text == self.on_disk

    @cached_property
    def index(self) -> LineIndex:
        return LineIndex(self.text)

    @cached_property
    def problems(self) -> list[Problem]:
        """All that is wrong with its text."""
        return check(self.file, self.context)

    @cached_property
    def providers(self) -> list[Provider]:
        """Those that may be connected to, given trust."""
        if not self.served:
            return []
        return [table.provider for _, table in self.file.tables.values() if table.provider]

    @cached_property
    def as_base(self) -> Base:
        """What the files of profiles are laid over, if this is the user-level config."""
        return base_of(self.file)

    @cached_property
    def default_id(self) -> str | None:
        """The provider that Codex uses unless told otherwise, be it one of this config or not; None
        where the user's own config says which."""
        kind, named = self.place.kind, self.file.default
        if not self.served or (named is None and kind != "user"):
            return None
        if named is None:
            return DEFAULT_ID
        table = self.file.providers.get(named.id)
        if table is None:
            return named.id if kind == "user" or named.id in BUILT_IN_IDS else None
        # What upstream Codex ignores there is no reason to rest assured.
        return None if kind == "project" and table.attested else named.id

    @property
    def foreign_default(self) -> tuple[str, ...]:
        """The default provider where no table of this config is its, so that it cannot be attested
        here."""
        default = self.default_id
        return () if default is None or default in self.file.providers else (default,)

    @cached_property
    def ids(self) -> Mapping[Peer, list[str]]:
        """The ids of its providers by what their status is kept by."""
        found: dict[Peer, list[str]] = {}
        for provider in self.providers:
            found.setdefault(provider.peer, []).append(provider.id)
        return found


class Files:
    """`environment`: of this process. `on_read` is told of every new state of a config, `on_gone`
    of one that is known no more."""

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        *,
        on_read: Callable[[OpenFile], None],
        on_gone: Callable[[OpenFile], None],
    ) -> None:
        self.settings = settings
        self._environment = environment
        # By home, those of providers that the user-level config had on disk or was asked for.
        self._own_ids: defaultdict[Path, set[str]] = defaultdict(set)
        self._locate()
        self._on_read = on_read
        self._on_gone = on_gone
        self._ahead: _Judged | None = None
        # Of its own: host names that nobody answers for may keep the usual ones for seconds.
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="config-reader")
        self._modes: dict[str, int | None] = {}  # as a keystroke must not ask the disk
        self._entries: dict[str, OpenFile] = {}  # the least recently used comes first

    @property
    def codex_home(self) -> Path:
        return self._places.home

    @cached_property
    def _names(self) -> frozenset[str]:
        """Of the environment's variables; read only where there is trust."""
        return frozenset(self._environment)

    def _locate(self) -> None:
        self._places = Places(codex_home(self.settings.codex_home, self._environment))
        # That of the user-level config,
        self.default_uri = (self.codex_home / "config.toml").absolute().as_uri()
        # and whether there is none, as the disk had it when it was asked last.
        self._no_default = False

    @property
    def all(self) -> list[OpenFile]:
        return list(self._entries.values())

    @property
    def opened(self) -> list[OpenFile]:
        """The configs that the client has open."""
        return [entry for entry in self.all if entry.open and entry.served]

    def get(self, uri: str) -> OpenFile | None:
        """What is known of `uri` already."""
        return self._entries.get(self._places.at(uri).key)

    def named(self, uri: str) -> OpenFile | None:
        """The config `uri`, be it open by another name, else from disk; None if there is none."""
        entry = self.get(uri)
        if entry is None or not entry.open:
            entry = self._open_elsewhere(uri)
        return self._current(uri if entry is None else entry.uri)

    def _open_elsewhere(self, uri: str) -> OpenFile | None:
        """What is open of the same file, however links or `..` lead there: the newest."""
        path = self._places.at(uri).path
        others = (each for each in reversed(self.all) if each.open)
        return next((each for each in others if are_same(path, each.place.path)), None)

    def _current(self, uri: str) -> OpenFile | None:
        """As `named`, by this name alone."""
        entry = self.get(uri)
        if entry is None or not entry.open:
            return self._from_disk(uri)
        self._look_below(uri)
        entry = self._entries[entry.key]  # judged again, if that changed
        return entry if entry.served else None

    def defining(self, uri: str, provider: str) -> OpenFile | None:
        """The config that says what `provider` is where that of `uri` is used: the user's own, if
        this is a profile without fault that leaves the provider as it is there."""
        entry = self.named(uri)
        if entry is None or entry.place.own != "profile" or provider in entry.file.providers:
            return entry
        default = self.default
        if default is None or provider not in default.file.providers:
            return entry
        # A policy that went astray here may have been meant for it.
        wrong = any(problem.severity is Severity.ERROR for problem in entry.problems)
        return entry if wrong else default

    @property
    def default(self) -> OpenFile | None:
        """The user-level config, if there is one."""
        known = self._known_default
        return known if known is not None and known.open else self._current(self.default_uri)

    @property
    def _known_default(self) -> OpenFile | None:
        """The same without a look at the disk, be it open under another name."""
        known = self.get(self.default_uri)
        if known is None or not known.open:
            own = (each for each in self.opened if each.place.own == "user")
            known = next(own, known)
        return known

    def default_lacks(self, provider: str) -> bool:
        """Whether the user-level config certainly has nothing to do with this id: what it had in
        this session it may be about to have again, and what is wrong there may hide an id."""
        default = self.default
        if provider in self._own_ids[self.codex_home] or (default is None and not self._no_default):
            return False
        problems = default.problems if default is not None else ()
        return not any(problem.severity is Severity.ERROR for problem in problems)

    def base(self, entry: OpenFile) -> OpenFile | None:
        """The user-level config, if `entry` is laid over it: a profile's or a project's. As it is
        known, without a look at the disk."""
        return self._known_default if self._lies_over(entry.uri) else None

    def is_saved(self, entry: OpenFile) -> bool:
        """Whether all that its providers are read from is what is on disk."""
        base = self._known_default if entry.place.own == "profile" else None
        return entry.saved and (base is None or base.saved)

    def read_from(self, entry: OpenFile) -> list[OpenFile]:
        """It, and the open profiles whose providers are read from it as well."""
        is_base = entry.place.own == "user"
        profiles = [each for each in self.opened if is_base and each.place.own == "profile"]
        return [entry, *profiles]

    def _lies_over(self, uri: str) -> bool:
        return self._places.at(uri).kind in ("profile", "project")

    def sharing(self, entry: OpenFile, provider: str) -> list[OpenFile]:
        """The configs in which the id `provider` means the same as in `entry`, that one first.

        They are the user-level config, the profiles' beside it, and projects that are open and
        define none of this id themselves.
        """
        if entry.place.own is None and not self._names_the_users(entry, provider):
            return [entry]
        found = [entry, *self.opened, self.default, *self._profiles()]
        shared: dict[str, OpenFile] = {}
        for each in found:
            if each is not None and (each.place.own or self._names_the_users(each, provider)):
                # One file may be open by another name than it has in the home.
                shared.setdefault(os.path.realpath(each.key), each)
        return list(shared.values())

    def _names_the_users(self, entry: OpenFile, provider: str) -> bool:
        """Whether a project's `provider` can only be one of the user's own."""
        return entry.place.kind == "project" and provider not in entry.file.providers

    def _profiles(self) -> Iterator[OpenFile | None]:
        try:
            paths = sorted(self.codex_home.absolute().glob("*.config.toml"))
        except OSError:
            paths = []
        for path in paths[:MAX_PROFILES]:
            yield self.named(path.as_uri())

    def read_ahead(self, uri: str, text: str) -> Coroutine[Any, Any, None] | None:
        """Read in a thread what `open` or `change` comes with next; None if that is soon done."""
        previous = self.get(uri)
        known = len(previous.text) if previous is not None else 0
        is_long = len(text) > LONG_TEXT or len(text) - known > LONG_NEWS
        return self._read_ahead(uri, text, previous) if is_long else None

    async def _read_ahead(self, uri: str, text: str, previous: OpenFile | None) -> None:
        if previous is None:
            self._look_around(uri)
        loop = asyncio.get_running_loop()
        context = self._context(self._places.at(uri), previous)
        known = previous.file if previous is not None else None
        self._ahead = await loop.run_in_executor(self._reader, _judged, text, context, known)

    def open(self, uri: str, text: str, version: int | None) -> OpenFile:
        """The client opened `uri` with this text."""
        on_disk = text_at(self._places.at(uri).path)
        self._look_around(uri)
        return self._keep(self._noted(self._read(uri, text, version, on_disk)))

    def change(self, uri: str, text: str, version: int | None) -> OpenFile:
        """The client has `uri` open with this text now."""
        previous = self.get(uri)
        on_disk = previous.on_disk if previous is not None else None
        return self._keep(self._read(uri, text, version, on_disk))

    def save(self, uri: str) -> OpenFile | None:
        """The client wrote the text that it has to disk. None if it has not that file."""
        if (entry := self.get(uri)) is None:
            return None
        entry.on_disk = entry.text
        self._noted(entry)
        self._look_around(uri)
        return self._judged_again(entry)

    def note_own(self, ids: Iterable[str]) -> None:
        """These are of the user-level config, whatever becomes of it in this session."""
        self._own_ids[self.codex_home].update(ids)

    def _noted(self, entry: OpenFile) -> OpenFile:
        """`entry`; to be asked for with each text that its file has on disk, not at a keystroke."""
        if entry.place.own == "user" and entry.on_disk is not None:
            self.note_own((entry.file if entry.saved else read(entry.on_disk)).providers)
        return entry

    def _look_around(self, uri: str) -> None:
        """Know who can open a file, and the user-level config before what lies over it; from then
        on changes of that are told."""
        place = self._places.at(uri)
        self._modes[place.key] = mode_at(place.path)
        self._look_below(uri)

    def _look_below(self, uri: str) -> None:
        """Know the user-level config as it is now, if `uri` is laid over it."""
        if self._lies_over(uri):
            _ = self.default

    def close(self, uri: str) -> None:
        """The client has `uri` open no more: from now on the disk's text counts."""
        if (entry := self.get(uri)) is not None:
            entry.open, entry.stamp = False, None
            self._from_disk(uri)
            if entry.place.own == "user":  # be it by another name than it has in the home
                _ = self.default

    def reread(self, uri: str) -> None:
        """The file at `uri` changed on disk."""
        entry = self.get(uri)
        if entry is None and self._places.at(uri).key == self._places.at(self.default_uri).key:
            _ = self.default
        elif entry is not None and not entry.open:
            self._from_disk(uri)
        elif entry is not None:
            was_saved = entry.saved
            # One that is gone is mostly about to be written anew.
            if (text := text_at(entry.place.path)) is not None:
                entry.on_disk = text
            self._noted(entry)
            self._look_around(uri)
            if self._judged_again(entry) is entry and entry.saved is not was_saved:
                self._on_read(entry)

    def configure(self, settings: Settings) -> None:
        """Read everything again under new settings."""
        self.settings = settings
        self._locate()
        for entry in self.all:
            self._look_around(entry.uri)
            if entry.open:
                self._noted(self.change(entry.uri, entry.text, entry.version))
            else:
                entry.stamp = None
                self._from_disk(entry.uri)

    def _from_disk(self, uri: str) -> OpenFile | None:
        self._look_below(uri)
        place = self._places.at(uri)
        known, stamp = self._entries.get(place.key), stamp_at(place.path)
        if known is not None and stamp is not None and known.stamp == stamp:
            self._entries[known.key] = self._entries.pop(known.key)  # the most recently used
            return known
        text = text_at(place.path) if stamp is not None else None
        if place.key == self._places.at(self.default_uri).key:
            self._no_default = text is None and is_nothing_at(place.path)
        entry = None
        if text is not None:
            uri = known.uri if known is not None else uri
            self._modes[place.key] = mode_at(place.path)
            entry = self._read(uri, text, None, text, stamp=stamp)
        if entry is not None and entry.served:
            return self._keep(self._noted(entry))
        self._modes.pop(place.key, None)
        if known is not None:
            self._forget(known)
        elif place.own == "user":
            self._review()
        return None

    def _keep(self, entry: OpenFile) -> OpenFile:
        # What is dropped is freed when what is new was shown.
        _dropped = self._entries.pop(entry.key, None)
        self._entries[entry.key] = entry
        if entry.place.own == "user":  # first: who is told of it is told of all that it changed
            self._review()
        self._on_read(entry)
        if not entry.open:
            self._forget_the_oldest()
        return entry

    def _forget_the_oldest(self) -> None:
        default = self._places.at(self.default_uri).key
        closed = [other for other in self.all if not other.open and other.key != default]
        if len(closed) > MAX_CLOSED_FILES:
            self._forget(closed[0])

    def _forget(self, entry: OpenFile) -> None:
        del self._entries[entry.key]
        self._modes.pop(entry.key, None)
        self._on_gone(entry)
        if entry.place.own == "user":
            self._review()

    def _review(self) -> None:
        """Judge again whatever the user-level config bears on."""
        for entry in self.all:
            self._judged_again(entry)

    def _judged_again(self, entry: OpenFile) -> OpenFile:
        """`entry` as it is in the context that it has now."""
        context = self._context(entry.place, entry)
        if context is not entry.context:
            judged = _judged(entry.text, context, entry.file)
            entry = replace(entry, file=judged.file, context=context)
            self._entries[entry.key] = entry
            self._on_read(entry)
        return entry

    def _read(
        self,
        uri: str,
        text: str,
        version: int | None,
        on_disk: str | None,
        stamp: Stamp | None = None,
    ) -> OpenFile:
        """`stamp`: of the file on disk that the text is from."""
        place = self._places.at(uri)
        previous = self._entries.get(place.key)
        context = self._context(place, previous)
        judged = self._ahead
        if judged is not None and (judged.context, judged.file.text) == (context, text):
            self._ahead = None
        else:
            judged = _judged(text, context, previous.file if previous is not None else None)
        file = judged.file
        # A document that was served once stays so while it is open and broken.
        served = previous is not None and previous.open and previous.served
        entry = OpenFile(
            uri=uri,
            place=place,
            text=text,
            version=version,
            file=file,
            context=context,
            served=served or place.is_named_so or file.is_codex_config,
            on_disk=on_disk,
            open=stamp is None,
            told=previous.told if previous is not None else {},
            stamp=stamp,
            rendered=previous.rendered if previous is not None else {},
        )
        # Who opens a config asks for its statuses; what changes from then on is told.
        entry.told_default = entry.default_id if previous is None else previous.told_default
        return entry

    def _context(self, place: Place, previous: OpenFile | None) -> Context:
        """Of what is at `place`: the same as before, if it is equal."""
        names = self._names if self.settings.trusted else None
        below = self._below if place.own == "profile" else None
        now = (place.kind, names, below, self._modes.get(place.key))
        known = previous.context if previous is not None else None
        if known is not None and (known.kind, known.environment, known.base, known.mode) == now:
            return known
        return Context(*now)

    @property
    def _below(self) -> Base | None:
        """What profiles are laid over, without a look at the disk. What nobody looked at yet may
        require anything."""
        known = self._known_default
        if known is not None:
            return known.as_base
        return None if self._no_default else UNREADABLE
