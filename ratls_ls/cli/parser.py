"""The arguments of `ratls-ls`: what `--help` says and what shells complete.

Invariant: nothing heavy is imported here; every command tells what its exit codes mean.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from ratls_ls import __version__

_LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
SHELLS = ("bash", "zsh", "fish")
_DESCRIPTION = """\
Language server for attested LLM providers: checks ratls_policy in Codex's
config.toml, shows the live attestation of each provider, and sends prompts
over attested TLS.
"""
_EPILOG = """\
An editor runs `ratls-ls --stdio`. `ratls-ls COMMAND --help` has examples.

exit codes:
  0 yes    1 no    2 could not run, reach or write    130 interrupted
"""


class Commands(Protocol):
    """What `add_subparsers` gives; argparse has no public name for it."""

    def add_parser(
        self,
        name: str,
        *,
        help: str,  # noqa: A002
        description: str,
        epilog: str,
        formatter_class: type[argparse.HelpFormatter],
    ) -> argparse.ArgumentParser: ...


def parser() -> argparse.ArgumentParser:
    """The parser of everything."""
    made = argparse.ArgumentParser(
        prog="ratls-ls",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"ratls-ls {__version__}")
    server = made.add_argument_group("language server")
    transport = server.add_mutually_exclusive_group()
    transport.add_argument("--stdio", action="store_true", help="serve on stdin and stdout")
    transport.add_argument(
        "--socket", type=_port, metavar="PORT", help="connect to this port of 127.0.0.1"
    )
    transport.add_argument("--pipe", metavar="NAME", help="connect to this Unix socket")
    transport.add_argument(
        "--tcp",
        type=_loopback,
        metavar="[HOST:]PORT",
        help="listen for one client of this user; loopback only; 0: a free port",
    )
    server.add_argument(
        "--only-stricter-settings",
        action="store_true",
        help="attest only when asked, and take from the editor only settings that make this "
        "stricter: no roots, no codexHome; for editors that let a project's file override yours",
    )
    _trust_options(made, default=None)
    commands = made.add_subparsers(dest="command", metavar="COMMAND")
    _check(commands)
    _attest(commands)
    _request(commands)
    _appraise(commands)
    _simulate(commands)
    _demo(commands)
    _schema(commands)
    _completion(commands)
    return made


def _check(commands: Commands) -> None:
    command = _command(
        commands,
        "check",
        "problems of config files",
        "Problems of Codex config files, with their fixes.",
        exits={
            0: "no error",
            1: "an error, or with --strict a warning, or with --diff a change",
            2: "a file cannot be read or written, or --live could not ask a provider",
        },
        examples=(
            "ratls-ls check",
            "ratls-ls check --strict --format github .codex/config.toml",
            "ratls-ls check --strict --ignore wire-api-chat",
            "ratls-ls check --fix - < config.toml > mended.toml",
        ),
    )
    command.add_argument(
        "files", nargs="*", metavar="FILE", help='"-" is stdin; default: the user-level config'
    )
    command.add_argument(
        "--format",
        choices=("text", "json", "sarif", "github"),
        default="text",
        help="how problems are written to stdout; default text",
    )
    command.add_argument(
        "--live", action="store_true", help="attest every provider, and add what came of it"
    )
    mending = command.add_mutually_exclusive_group()
    mending.add_argument(
        "--fix",
        action="store_true",
        help="apply the safe fixes; of stdin the mended text goes to stdout",
    )
    mending.add_argument(
        "--diff",
        action="store_true",
        help="print what --fix would change, secrets hidden, and nothing else",
    )
    for option, what in (("--ignore", "leave out these codes"), ("--select", "only these codes")):
        command.add_argument(
            option,
            type=_words,
            action="extend",
            default=[],
            metavar="CODE,…",
            help=f"{what}, in the report, the fixes and the exit code; repeatable",
        )
    command.add_argument("--strict", action="store_true", help="exit 1 for warnings too")
    _trust_options(command)


def _attest(commands: Commands) -> None:
    command = _command(
        commands,
        "attest",
        "attest providers now, claim by claim",
        "Attests providers now, one after another, each over a fresh connection. Shows\n"
        "the steps as they happen, then the ten claims. No prompt or key is sent.",
        exits={
            0: "all are affirmed",
            1: "one is rejected",
            2: "one cannot be reached, or is not configured as it must be",
        },
        examples=("ratls-ls attest my-provider", "ratls-ls attest my-provider --json | jq .claims"),
    )
    command.add_argument(
        "providers",
        nargs="*",
        metavar="PROVIDER",
        help="an id under model_providers; default: every attested one",
    )
    command.add_argument(
        "--json", action="store_true", help="print each AttestationResult, nothing else"
    )
    _config_option(command)
    _trust_options(command)


def _request(commands: Commands) -> None:
    command = _command(
        commands,
        "request",
        "one attested request, streamed to stdout",
        "Sends one HTTP request over a connection that was itself attested, with the\n"
        "provider's own key and headers. The body of the answer goes to stdout as it\n"
        "comes; time limit 10 minutes.",
        exits={
            0: "answered with a 2xx status",
            1: "answered with another status, or rejected: nothing was sent",
            2: "cannot be reached, the answer was cut, or the request is not allowed",
        },
        examples=(
            "ratls-ls request my-provider /models",
            "ratls-ls request my-provider /responses --data @prompt.json",
        ),
    )
    command.add_argument("provider", metavar="PROVIDER", help="an id under model_providers")
    command.add_argument("path", metavar="PATH", help="under its base_url, such as /responses")
    command.add_argument(
        "-X", "--method", metavar="M", help="HTTP method; default POST with --data, else GET"
    )
    command.add_argument(
        "-H",
        "--header",
        action="append",
        default=[],
        metavar="NAME: VALUE",
        help="a further header; repeatable",
    )
    command.add_argument(
        "-d",
        "--data",
        metavar="JSON|@FILE|@-",
        help="the body: text, a file, or stdin, which keeps a prompt off the command line",
    )
    _config_option(command)
    _trust_options(command)


def _appraise(commands: Commands) -> None:
    command = _command(
        commands,
        "appraise",
        "appraise recorded evidence offline",
        "Judges recorded evidence without any network, as an audit does. Claims that\n"
        "need a live connection are not required.",
        exits={0: "affirmed", 1: "rejected", 2: "a file or an argument cannot be used"},
        examples=(
            "ratls-ls appraise --quote quote.bin --collateral collateral.json \\\n"
            "    --event-log event_log.json --at 2026-01-31T12:00:00Z",
        ),
    )
    command.add_argument(
        "--quote", type=Path, required=True, metavar="FILE", help="TDX quote, raw or in hex"
    )
    command.add_argument(
        "--collateral",
        type=Path,
        required=True,
        metavar="FILE",
        help="DCAP collateral, in the JSON of dcap-qvl",
    )
    command.add_argument("--event-log", type=Path, metavar="FILE", help="dstack event log, JSON")
    command.add_argument(
        "--app-compose",
        type=Path,
        metavar="FILE",
        help="require this app-compose.json, byte by byte, to be what runs",
    )
    command.add_argument(
        "--report-data", metavar="HEX", help="require these 64 bytes of report data"
    )
    command.add_argument(
        "--provider",
        metavar="ID",
        help="judge under this provider's policy; default: UpToDate only, no pin",
    )
    command.add_argument(
        "--at", metavar="TIME", help="judge as of then: RFC 3339 or Unix seconds; default now"
    )
    command.add_argument("--json", action="store_true", help="print the AttestationResult")
    _config_option(command)
    _trust_options(command, tls=False)


def _simulate(commands: Commands) -> None:
    command = _command(
        commands,
        "simulate",
        "a simulated TEE provider on loopback",
        "Serves a simulated TEE provider on loopback until interrupted: its own roots,\n"
        "PCCS, quotes and an OpenAI-compatible API. For trying out and for tests.",
        exits={0: "stopped", 2: "no such fault, or the port or file cannot be used"},
        examples=(
            "ratls-ls simulate --write-config simulated.toml",
            "ratls-ls simulate --fault relay",
        ),
    )
    command.add_argument(
        "--port", type=_port, default=0, metavar="N", help="TCP port; default: a free one"
    )
    command.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help="misbehave in this way; repeatable",
    )
    command.add_argument("--list-faults", action="store_true", help="print all faults and exit")
    command.add_argument(
        "--write-config", type=Path, metavar="FILE", help="write a config.toml for it here"
    )


def _demo(commands: Commands) -> None:
    command = _command(
        commands,
        "demo",
        "the whole product in one minute, with no network",
        "Starts a simulated provider and the real language server, mends a policy,\n"
        "attests, sends a prompt, and then attacks the provider.",
        exits={0: "all went as told", 2: "the demo cannot run here"},
        examples=("ratls-ls demo",),
    )
    command.add_argument("--json", action="store_true", help="one event a line")


def _schema(commands: Commands) -> None:
    _command(
        commands,
        "schema",
        "JSON Schema of the config, for taplo and tombi",
        "Prints the JSON Schema of Codex's config.toml with its ratls_policy.",
        exits={0: "printed"},
        examples=("ratls-ls schema > ratls.schema.json",),
    )


def _completion(commands: Commands) -> None:
    command = _command(
        commands,
        "completion",
        "completion for a shell",
        "Prints what makes a shell complete commands, options and provider ids.",
        exits={0: "printed", 2: "no such shell"},
        examples=(
            'eval "$(ratls-ls completion bash)"   # in ~/.bashrc',
            'eval "$(ratls-ls completion zsh)"    # in ~/.zshrc, after compinit',
            "ratls-ls completion fish | source    # in ~/.config/fish/config.fish",
        ),
    )
    command.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def _command(
    commands: Commands,
    name: str,
    summary: str,
    description: str,
    *,
    exits: Mapping[int, str],
    examples: Iterable[str],
) -> argparse.ArgumentParser:
    """`exits`: what each exit code means."""
    codes = [f"  {code} {meaning}" for code, meaning in exits.items()]
    lines = ["exit codes:", *codes, "", "examples:", *(f"  {example}" for example in examples)]
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog="\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no TCP port: 0 to 65535")
    return int(text)


def _loopback(text: str) -> tuple[str, int]:
    """Host and port to listen on."""
    host, _, port = text.rpartition(":")
    if host and host not in _LOOPBACK:
        raise argparse.ArgumentTypeError(f"{host} is not loopback; use 127.0.0.1 or [::1]")
    return host.strip("[]") or "127.0.0.1", _port(port)


def _config_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="default: config.toml in $CODEX_HOME, else in ~/.codex",
    )


def _trust_options(
    command: argparse.ArgumentParser,
    *,
    tls: bool = True,
    default: str | None = argparse.SUPPRESS,
) -> None:
    """Without a default of its own a command leaves alone what was given before its name."""
    group = command.add_argument_group("trust")
    if tls:
        group.add_argument(
            "--ca-file",
            type=Path,
            action="append",
            default=default,
            metavar="FILE",
            help="further TLS root certificates, PEM; repeatable",
        )
    group.add_argument(
        "--unsafe-root-ca",
        type=Path,
        action="append",
        default=default,
        metavar="FILE",
        help="trust a further DCAP root, PEM or DER; every result that rests on it says "
        "simulated; repeatable",
    )
