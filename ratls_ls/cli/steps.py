"""How far an attestation got, told while it happens.

Invariant: each step is a line of its own, with its time, once it ended; only a terminal also shows
the one under way.
"""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.text import Text

from ratls_ls.atls.errors import AttestationRejectedError, Step

_WORDS = {
    Step.DNS: "resolve",
    Step.TCP: "connect",
    Step.TLS: "TLS 1.3 handshake",
    Step.QUOTE: "quote",
    Step.PCCS: "collateral",
}
_WIDTH = max(map(len, _WORDS.values()))


class Steps:
    """A context in which `begin` is told of each step as it begins."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._under_way = console.status("")
        self._step: Step | None = None
        self._began = 0.0

    def begin(self, step: Step) -> None:
        if step is self._step:
            return  # at another address
        self._end(" ")
        if step in _WORDS:
            self._step, self._began = step, time.monotonic()
            self._under_way.update(f"{_WORDS[step]} …")

    def __enter__(self) -> Steps:
        self._under_way.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A server that is rejected got through them all.
        got_through = error is None or isinstance(error, AttestationRejectedError)
        self._end(" " if got_through else "✗")
        self._under_way.stop()

    def _end(self, mark: str) -> None:
        if self._step is not None:
            milliseconds = (time.monotonic() - self._began) * 1000
            line = f"{mark} {_WORDS[self._step]:<{_WIDTH}} {milliseconds:>7.0f} ms"
            self._console.print(Text(line, "dim"))
            self._step = None
