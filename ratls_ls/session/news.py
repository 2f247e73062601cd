"""What the client learns of: the diagnostics of a file and the statuses of its providers.

Invariant: each status is told once; nothing is shown or told so often that it slows an editor.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from ratls_ls.config.model import Provider
from ratls_ls.config.span import PositionEncoding
from ratls_ls.language.diagnose import Diagnostic, live
from ratls_ls.status import UNCHECKED, ProviderStatus, State

from .files import OpenFile
from .shapes import status_json

# What an edit changes is told when the typing pauses.
TELL_SECONDS = 0.1
# Showing again what a status changed takes at most so small a share of the time.
SHOW_SHARE = 10
_DISABLED = ProviderStatus(State.DISABLED)


class News:
    """`status` is that of a provider; `current` the present state of a file by its URI."""

    def __init__(
        self,
        *,
        status: Callable[[Provider], ProviderStatus],
        current: Callable[[str], OpenFile | None],
        publish: Callable[[OpenFile, list[Diagnostic]], None],
        changed: Callable[[dict[str, Any]], None],
        encoding: PositionEncoding,
    ) -> None:
        self._status = status
        self._current = current
        self._publish = publish
        self._changed = changed
        self._encoding = encoding
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._show_seconds = 0.0

    def status_of(self, entry: OpenFile, name: str) -> ProviderStatus:
        """The status of the provider `name` in a file. One that is gone is disabled."""
        table = entry.file.providers.get(name)
        if table is None or not table.attested:
            return _DISABLED
        if table.provider is None:
            return ProviderStatus(State.INVALID)
        return self._status(table.provider)

    def json(self, entry: OpenFile, name: str) -> dict[str, Any]:
        """The wire shape `ProviderStatus`."""
        return status_json(entry, name, self.status_of(entry, name), self._encoding)

    def show(self, entry: OpenFile) -> None:
        """Publish the diagnostics of an open file."""
        if entry.open and entry.served:
            started = time.monotonic()
            self._publish(entry, list(live(entry.file, self._status)))
            self._show_seconds = time.monotonic() - started

    def show_soon(self, entry: OpenFile) -> None:
        """Once for all the statuses that change until then."""
        self._later(f"show {entry.key}", SHOW_SHARE * self._show_seconds, self.show, entry)

    def tell(
        self, entry: OpenFile, name: str, status: ProviderStatus, *, again: bool = False
    ) -> None:
        """Tell one status, if it is news or to be told `again`."""
        told = entry.told.get(name)
        is_news = status != told and not (told is None and status in (UNCHECKED, _DISABLED))
        if not is_news and not again:
            return
        entry.told[name] = status
        if name not in entry.file.providers:
            del entry.told[name]
        self._changed(status_json(entry, name, status, self._encoding))

    def tell_soon(self, entry: OpenFile) -> None:
        """Tell what an edit changed."""
        self._later(f"tell {entry.key}", TELL_SECONDS, self._tell_all, entry)

    def tell_end(self, entry: OpenFile) -> None:
        """Tell that a file, and its providers with it, is no more."""
        for name in list(entry.told):
            self.tell(entry, name, _DISABLED)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _tell_all(self, entry: OpenFile) -> None:
        before, entry.told_default = entry.told_default, entry.default_id
        # Which is the default may be all that changed.
        turned = (before, entry.default_id) if before != entry.default_id else ()
        for name in dict.fromkeys((*entry.file.providers, *entry.told, *turned)):
            if name is not None:
                self.tell(entry, name, self.status_of(entry, name), again=name in turned)

    def _later(
        self, what: str, seconds: float, do: Callable[[OpenFile], None], entry: OpenFile
    ) -> None:
        def run() -> None:
            del self._timers[what]
            if (current := self._current(entry.uri)) is not None:
                do(current)

        if what not in self._timers:
            self._timers[what] = asyncio.get_running_loop().call_later(seconds, run)
