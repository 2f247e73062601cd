"""From spawn to the first byte of the answer to `initialize`, against a server of pygls that does
nothing. Both take turns.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .table import Row, at_most, medians

_PARAMS = {"processId": None, "rootUri": None, "capabilities": {}}
_BODY = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": _PARAMS}).encode()
_INITIALIZE = b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
_BARE = "from pygls.lsp.server import LanguageServer; LanguageServer('bare', '1').start_io()"
_OURS = [str(Path(sys.executable).with_name("ratls-ls")), "--stdio"]
_PEER = [sys.executable, "-c", _BARE]


def measure(*, smoke: bool) -> list[Row]:
    times = 2 if smoke else 25
    with tempfile.TemporaryDirectory() as home:
        # The first of each fills the caches of the file system.
        pairs = [(_start(_OURS, home), _start(_PEER, home)) for _ in range(times + 1)][1:]
    ours, bare = medians(pairs)
    return [at_most(1.0, "spawn to initialize", ours, "a bare pygls server", bare, "ms")]


def _start(command: list[str], home: str) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        env={"HOME": home},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(_INITIALIZE)
        process.stdin.flush()
        answered = process.stdout.read(1)
        taken = time.perf_counter() - started
        process.kill()
    if not answered:
        raise RuntimeError(f"{command} did not answer")
    return taken * 1000
