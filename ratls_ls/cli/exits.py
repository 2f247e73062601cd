"""How a command ends: its exit codes, and what it says where it cannot go on."""

from __future__ import annotations

import sys

EXIT_YES, EXIT_NO, EXIT_ERROR = 0, 1, 2


class CommandError(Exception):
    """The command cannot run; its message says what the user can do."""


def complain(message: str) -> None:
    """Tell the user on stderr. Names and answers of others may stand in `message`."""
    from ratls_ls.config.words import printable

    print(f"ratls-ls: {printable(message)}", file=sys.stderr)
