"""`ratls-ls` and `python -m ratls_ls`."""

from __future__ import annotations

import io
import sys


def main() -> None:
    from ratls_ls.cli.main import run

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A mark that the terminal has no character for is no reason to fail.
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
