"""Everything that is measured, in one run.

python -m tests.bench [--smoke] [NAME…]

A whole run writes docs/performance.md; a smoke run, or one of a few benches, writes nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
from types import ModuleType

from . import appraisal, connect, editing, load, memory, requests, start, streams
from .provider import ROOT
from .table import Row, table

BENCHES: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (start, editing, appraisal, requests, connect, streams, load, memory)
}
FILE = ROOT / "docs" / "performance.md"
PAGE = """\
# Performance

Written by `make bench`: one run on {cpus} cores with Python {python}, nothing but the machine's \
own network. Only the ratios mean something elsewhere; those of a busy machine vary by a quarter.

{table}
While all that goes on, the server's event loop is free again within ten milliseconds of its own \
time. `tests/e2e/test_event_loop.py` holds it to that with a hundred streams, twenty attestations \
and somebody typing, in a document of thousands of lines, and with unstreamed answers of eight \
megabytes; since machines are busy, it allows three longer moments, and two more tries. Only a \
prompt of megabytes takes longer: seven milliseconds for each.

## How it was measured

{methods}

`make bench-smoke` runs the same, shortly. `python -m tests.bench NAME` runs one of them.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="tiny, for CI")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.names or BENCHES:
        for row in BENCHES[name].measure(smoke=options.smoke):
            print(row, flush=True)
            rows.append(row)
    if not options.smoke and not options.names:
        FILE.write_text(_page(rows), "utf-8")


def _page(rows: list[Row]) -> str:
    methods = (
        f"- **{name}**: {' '.join((module.__doc__ or '').split())}"
        for name, module in BENCHES.items()
    )
    return PAGE.format(
        cpus=os.cpu_count(),
        python=platform.python_version(),
        table=table(rows),
        methods="\n".join(methods),
    )


if __name__ == "__main__":
    main()
