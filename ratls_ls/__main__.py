"""`ratls-ls` and `python -m ratls_ls`."""

from __future__ import annotations

import sys


def main() -> None:
    from ratls_ls.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
