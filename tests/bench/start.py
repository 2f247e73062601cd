"""From spawn to the answer to initialize, against a server of pygls that does nothing, as a ratio.

python tests/bench/start.py [--smoke]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

PARAMS = {"processId": None, "rootUri": None, "capabilities": {}}
BODY = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": PARAMS}).encode()
INITIALIZE = b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
BARE = "from pygls.lsp.server import LanguageServer; LanguageServer('bare', '1').start_io()"
OURS = [sys.executable, "-m", "ratls_ls", "--stdio"]
PEER = [sys.executable, "-c", BARE]


def start(command: list[str], home: str) -> float:
    """Milliseconds until the first byte of the answer."""
    started = time.perf_counter()
    with subprocess.Popen(
        command,
        env={"HOME": home},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        process.stdin.write(INITIALIZE)  # type: ignore[union-attr]  # both are pipes
        process.stdin.flush()  # type: ignore[union-attr]
        answered = process.stdout.read(1)  # type: ignore[union-attr]
        taken = time.perf_counter() - started
        process.kill()
    if not answered:
        raise RuntimeError(f"{command} did not answer")
    return taken * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="tiny, for CI")
    times = 2 if parser.parse_args().smoke else 15
    with tempfile.TemporaryDirectory() as home:
        # The first of each fills the caches of the file system.
        pairs = [(start(OURS, home), start(PEER, home)) for _ in range(times + 1)][1:]
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    print("| | ratls-ls ms | bare pygls ms | ratio |\n|---|---|---|---|")
    print(f"| start | {ours:.0f} | {bare:.0f} | {ours / bare:.2f} |")


if __name__ == "__main__":
    main()
