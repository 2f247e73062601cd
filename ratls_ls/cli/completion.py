"""What shells complete: `ratls-ls completion SHELL`, and the answers when one asks.

Invariant: a TAB reads the config and contacts nobody.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import argcomplete
from argcomplete.completers import BaseCompleter, FilesCompleter
from argcomplete.shell_integration import shellcode

from .common import attested_ids
from .exits import EXIT_YES, CommandError


def completion(options: argparse.Namespace) -> int:
    """Prints the shell's code, which asks this program at every TAB."""
    print(shellcode(["ratls-ls"], shell=options.shell))
    return EXIT_YES


def complete(parser: argparse.ArgumentParser) -> None:
    """Answers the shell, and ends the process."""
    argcomplete.autocomplete(parser, always_complete_options=False, default_completer=_Values())


class _Values(BaseCompleter):
    """The values of arguments that have no fixed choices, or those with a description each."""

    def __call__(
        self,
        *,
        prefix: str,
        action: argparse.Action,
        parser: argparse.ArgumentParser,
        parsed_args: argparse.Namespace,
    ) -> Iterable[str]:
        if action.dest in ("provider", "providers"):
            return _providers(parsed_args)
        if action.dest == "fault":
            from ratls_ls.simulator import FAULTS

            return {name: fault.title for name, fault in FAULTS.items()}
        if action.type is Path or action.dest == "files":
            return FilesCompleter()(prefix)
        return ()


def _providers(options: argparse.Namespace) -> list[str]:
    """The attested ones of the config meant."""
    try:
        return attested_ids(options)
    except CommandError:
        return []
