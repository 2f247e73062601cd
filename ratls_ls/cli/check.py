"""`ratls-ls check`: the problems of config files, for people and for machines."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ratls_ls.atls.client import AttestedClient
from ratls_ls.atls.errors import AttestationRejectedError, UnreachableError
from ratls_ls.atls.verifier import Verifier
from ratls_ls.config.check import check as check_config
from ratls_ls.config.check import fix_all
from ratls_ls.config.model import Provider
from ratls_ls.config.problem import Severity
from ratls_ls.config.read import ConfigFile, read
from ratls_ls.config.secrets import masked
from ratls_ls.config.span import LineIndex
from ratls_ls.language.diagnose import Diagnostic, diagnose
from ratls_ls.session import codex_home, context_of
from ratls_ls.status import ProviderStatus, State, StatusError, judged

from . import report
from .common import read_stdin, read_text, verifier
from .main import EXIT_NO, EXIT_YES, CommandError

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Checked:
    """One file and what was found in it. `name` is how the user called it; `text` is without its
    secrets, since a report is shown to more people than a file."""

    name: str
    text: str
    index: LineIndex
    diagnostics: list[Diagnostic]


def check(options: argparse.Namespace) -> int:
    """Exit 1 if there is a problem of severity error (`--strict`: or warning).

    Raises CommandError for the files that cannot be read, after what the others have was told.
    """
    home = codex_home(None, os.environ)
    names = options.files or [str(home / "config.toml")]
    verifying = verifier(options) if options.live else None
    checked: list[Checked] = []
    failures: list[str] = []
    for name in names:
        try:
            checked.append(_check(name, home, verifying, fix=options.fix))
        except CommandError as error:
            failures.append(str(error))
    # With --fix, stdout is for the mended text of stdin.
    stream = sys.stderr if options.fix and STDIN in names else sys.stdout
    if checked:
        report.FORMATS[options.format](checked, stream)
    if failures:
        raise CommandError("; ".join(failures))
    failing = {Severity.ERROR, Severity.WARNING} if options.strict else {Severity.ERROR}
    found = any(item.severity in failing for file in checked for item in file.diagnostics)
    return EXIT_NO if found else EXIT_YES


def _check(name: str, home: Path, verifying: Verifier | None, *, fix: bool) -> Checked:
    path = Path(name).absolute() if name != STDIN else None
    text = read_text(path) if path is not None else _stdin()
    context = context_of(path, home.absolute(), frozenset(os.environ))
    if fix:
        fixed = fix_all(text, context)
        if path is None:
            sys.stdout.buffer.write(fixed.encode("utf-8"))
        elif fixed != text:
            _write(path, fixed)
        text = fixed
    file = read(text)
    statuses = asyncio.run(_attest_all(file, verifying)) if verifying is not None else {}
    unknown = ProviderStatus(State.UNCHECKED)
    found = diagnose(
        file, check_config(file, context), lambda provider: statuses.get(provider, unknown)
    )
    return Checked(name, masked(file), LineIndex(text), found)


def _stdin() -> str:
    try:
        return read_stdin().decode("utf-8")
    except UnicodeError as error:
        raise CommandError("stdin is not UTF-8 text") from error


def _write(path: Path, text: str) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error


async def _attest_all(file: ConfigFile, verifying: Verifier) -> dict[Provider, ProviderStatus]:
    providers = [table.provider for table in file.providers.values() if table.provider]
    statuses = await asyncio.gather(*(_attest(provider, verifying) for provider in providers))
    return dict(zip(providers, statuses, strict=True))


async def _attest(provider: Provider, verifying: Verifier) -> ProviderStatus:
    seen: list[ProviderStatus] = []
    client = AttestedClient(
        provider,
        verifying,
        lambda attestation: seen.append(judged(attestation, attestation.result.appraised_at)),
    )
    try:
        await client.attest()
    except AttestationRejectedError:
        pass  # `seen` has it
    except UnreachableError as error:
        failure = StatusError(f"unreachable-{error.step.value}", str(error))
        return ProviderStatus(State.UNREACHABLE, error=failure)
    finally:
        await client.aclose()
    return seen[-1]
