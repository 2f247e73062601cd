"""The argument parser of `ratls-ls`, and nothing heavier until a command was chosen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ratls_ls import __version__

EXIT_YES, EXIT_NO, EXIT_ERROR = 0, 1, 2

_DESCRIPTION = """\
Language server for attested LLM providers: checks ratls_policy in Codex's config.toml, shows the
live attestation of each provider, and sends prompts over verified TLS.
"""


class Commands(Protocol):
    """What `add_subparsers` gives; argparse has no public name for it."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser: ...  # noqa: A002


class CommandError(Exception):
    """The command cannot run; its message says what the user can do."""


def run(arguments: Sequence[str]) -> int:
    """Run one command. Returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None and not _transport_chosen(options):
        parser.print_help()
        return EXIT_ERROR
    try:
        return _command(options)
    except CommandError as error:
        print(f"ratls-ls: {error}", file=sys.stderr)
        return EXIT_ERROR
    except KeyboardInterrupt:
        return 130  # as shells report SIGINT
    except BrokenPipeError:
        # The reader of our output left, as in `ratls-ls check | head`.
        sys.stderr.close()
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
        case _:
            from .schema import schema

            return schema(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ratls-ls", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"ratls-ls {__version__}")
    transport = parser.add_argument_group("language server").add_mutually_exclusive_group()
    transport.add_argument("--stdio", action="store_true", help="serve on stdin and stdout")
    transport.add_argument("--socket", type=int, metavar="PORT", help="connect to this local port")
    transport.add_argument("--pipe", metavar="NAME", help="connect to this Unix socket")
    transport.add_argument("--tcp", metavar="[HOST:]PORT", help="listen here (loopback only)")
    _trust_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _check_parser(commands)
    _attest_parser(commands)
    _request_parser(commands)
    _appraise_parser(commands)
    _simulate_parser(commands)
    _demo_parser(commands)
    commands.add_parser("schema", help="JSON Schema of the config, for taplo and tombi")
    return parser


def _trust_options(parser: argparse.ArgumentParser, *, tls: bool = True) -> None:
    group = parser.add_argument_group("trust")
    # No default here: a subcommand's would overwrite what was given before the subcommand.
    if tls:
        group.add_argument(
            "--ca-file",
            type=Path,
            action="append",
            metavar="FILE",
            help="further TLS root certificates (PEM)",
        )
    group.add_argument(
        "--unsafe-root-ca",
        type=Path,
        action="append",
        metavar="FILE",
        help="trust a further DCAP root (PEM or DER); every result then says simulated",
    )


def _config_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="default: the user-level one")


def _check_parser(commands: Commands) -> None:
    parser = commands.add_parser("check", help="problems of config files")
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help='default: the user-level one; "-" is stdin'
    )
    parser.add_argument("--format", choices=("text", "json", "sarif", "github"), default="text")
    parser.add_argument("--live", action="store_true", help="add the attestation status")
    parser.add_argument(
        "--fix",
        action="store_true",
        help="apply the safe fixes; of stdin the mended text goes to stdout",
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 for warnings too")
    _trust_options(parser)


def _attest_parser(commands: Commands) -> None:
    parser = commands.add_parser("attest", help="attest one provider now")
    parser.add_argument("provider", metavar="PROVIDER")
    parser.add_argument("--json", action="store_true", help="print the AttestationResult")
    _config_option(parser)
    _trust_options(parser)


def _request_parser(commands: Commands) -> None:
    parser = commands.add_parser("request", help="one attested request, streamed to stdout")
    parser.add_argument("provider", metavar="PROVIDER")
    parser.add_argument("path", metavar="PATH", help="under base_url, e.g. /chat/completions")
    parser.add_argument("--method", "-X", metavar="M", help="default POST with data, else GET")
    parser.add_argument("--header", "-H", action="append", default=[], metavar="NAME: VALUE")
    parser.add_argument("--data", "-d", metavar="JSON|@FILE|@-", help="the body")
    _config_option(parser)
    _trust_options(parser)


def _appraise_parser(commands: Commands) -> None:
    parser = commands.add_parser("appraise", help="appraise recorded evidence offline")
    parser.add_argument("--quote", type=Path, required=True, metavar="FILE")
    parser.add_argument("--collateral", type=Path, required=True, metavar="FILE")
    parser.add_argument("--event-log", type=Path, metavar="FILE")
    parser.add_argument("--app-compose", type=Path, metavar="FILE")
    parser.add_argument("--report-data", metavar="HEX", help="the expected 64 bytes")
    parser.add_argument("--provider", metavar="ID", help="whose policy; default the strict one")
    parser.add_argument("--at", metavar="TIME", help="RFC 3339 or Unix seconds; default now")
    parser.add_argument("--json", action="store_true", help="print the AttestationResult")
    _config_option(parser)
    _trust_options(parser, tls=False)


def _simulate_parser(commands: Commands) -> None:
    parser = commands.add_parser("simulate", help="a simulated TEE provider on loopback")
    parser.add_argument("--port", type=int, default=0, metavar="N")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME")
    parser.add_argument("--list-faults", action="store_true")
    parser.add_argument("--write-config", type=Path, metavar="FILE")


def _demo_parser(commands: Commands) -> None:
    parser = commands.add_parser("demo", help="the whole product in one minute, with no network")
    parser.add_argument("--json", action="store_true", help="one event a line")
