"""Which command runs, and nothing heavier than the parser until that was chosen."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence

from .exits import EXIT_ERROR, CommandError, complain
from .parser import parser


def run(arguments: Sequence[str]) -> int:
    """Run one command. Returns the exit code."""
    if os.name != "posix":
        complain("runs on Linux, and on Windows in WSL")
        return EXIT_ERROR
    parsing = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may stand here
        from .completion import complete

        complete(parsing)
    options = parsing.parse_args(arguments)
    serves = _transport_chosen(options)
    if options.command is None and not serves:
        parsing.print_help()
        return EXIT_ERROR
    if options.command is not None and (serves or options.only_stricter_settings):
        parsing.error(f"the language server takes no command such as {options.command}")
    try:
        code = _command(options)
        sys.stdout.flush()
        return code
    except CommandError as error:
        complain(str(error))
        return EXIT_ERROR
    except KeyboardInterrupt:
        # Libraries warn of what they did not come to; that is what was asked for.
        warnings.simplefilter("ignore")
        return 130  # as shells report SIGINT
    except OSError as error:
        # What is still to be written would fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # The reader of our output may leave, as in `ratls-ls check | head`.
        if not isinstance(error, BrokenPipeError):
            complain(f"cannot go on: {error.strerror or error}")
        return EXIT_ERROR
    except Exception as error:  # 1 would mean that something was rejected
        # Its message may hold a secret.
        complain(f"stopped by an error of its own ({type(error).__name__}); please report it")
        return EXIT_ERROR


def _transport_chosen(options: argparse.Namespace) -> bool:
    return bool(
        options.stdio
        or options.socket is not None
        or options.pipe is not None
        or options.tcp is not None
    )


def _command(options: argparse.Namespace) -> int:
    # Imported one by one: the language server's start must not pay for the other commands.
    match options.command:
        case None:
            from .serve import serve

            return serve(options)
        case "check":
            from .check import check

            return check(options)
        case "attest":
            from .attest import attest

            return attest(options)
        case "request":
            from .request import request

            return request(options)
        case "appraise":
            from .appraise import appraise

            return appraise(options)
        case "simulate":
            from .simulate import simulate

            return simulate(options)
        case "demo":
            from .demo import demo

            return demo(options)
        case "schema":
            from .schema import schema

            return schema(options)
        case _:
            from .completion import completion

            return completion(options)
