"""`ratls-ls check`: the problems of config files, for people and for machines."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

from ratls_ls.atls.client import AttestedClient
from ratls_ls.atls.errors import AttestationRejectedError, UnreachableError
from ratls_ls.atls.verifier import Verifier
from ratls_ls.config.check import Context, mend
from ratls_ls.config.check import check as check_config
from ratls_ls.config.model import Provider
from ratls_ls.config.overlay import left_below
from ratls_ls.config.problem import Severity
from ratls_ls.config.read import ConfigFile, read
from ratls_ls.config.rules import RULES
from ratls_ls.config.secrets import masked
from ratls_ls.config.span import LineIndex
from ratls_ls.config.words import nearest, printable, shown
from ratls_ls.language.diagnose import LIVE_CODES, diagnose
from ratls_ls.session import context_of
from ratls_ls.status import ProviderStatus, State, StatusError, judged

from . import report
from .common import decoded, read_stdin, read_text, user_home, verifier
from .exits import EXIT_ERROR, EXIT_NO, EXIT_YES, CommandError, complain
from .report import Checked

STDIN = "-"


def check(options: argparse.Namespace) -> int:
    """Exit 1 if there is a problem of severity error (`--strict`: or warning; `--diff`: if there is
    something to mend), else 2 if a provider could not be attested for an error that is left out, or
    stands in a config that is not checked. A file that cannot be read hides nothing that others
    have; it is told after them, and the exit is 2. Raises CommandError.
    """
    home = user_home(needed=not options.files)
    names = options.files or [str(home / "config.toml")]
    wanted = _wanted(options)
    verifying = verifier(options) if options.live else None
    checked: list[Checked] = []
    failures: list[str] = []
    changed = False
    for name in names:
        try:
            text, context = _text_of(name, home)
            if options.diff:
                changed |= _print_diff(name, text, mend(text, context, wanted)[0])
                continue
            if options.fix:
                try:
                    text = _mended(name, text, context, wanted)
                except CommandError as error:  # what it still has is told all the same
                    failures.append(str(error))
            checked.append(_checked(name, text, context, verifying, wanted))
        except CommandError as error:
            failures.append(str(error))
    # With --fix, stdout is for the mended text of stdin.
    stream = sys.stderr if options.fix and STDIN in names else sys.stdout
    if checked:
        report.FORMATS[options.format](checked, stream)
    if failures:
        for failure in failures:
            complain(failure)
        return EXIT_ERROR
    failing = {Severity.ERROR, Severity.WARNING} if options.strict else {Severity.ERROR}
    found = any(item.severity in failing for file in checked for item in file.diagnostics)
    # Whichever codes are selected: nobody is to take silence for an attestation.
    unattested = [
        (file.name, each, "its configuration has errors")
        for file in checked
        for each in file.unattested
    ]
    own = home / "config.toml"
    if not any(os.path.realpath(file.name) == os.path.realpath(own) for file in checked):
        why = f"it stands in {own} alone; check that, too"
        unattested += [(file.name, file.below, why) for file in checked if file.below is not None]
    for name, provider, why in unattested:
        complain(f"{name}: {shown(provider)} was not attested: {why}")
    if found or changed:
        return EXIT_NO
    return EXIT_ERROR if unattested else EXIT_YES


def _wanted(options: argparse.Namespace) -> Callable[[str], bool]:
    """Which codes count. Raises CommandError for one that there is not."""
    known = {rule.code for rule in RULES} | set(LIVE_CODES)
    for code in (*options.ignore, *options.select):
        if code not in known:
            meant = nearest(code, known)
            raise CommandError(
                f"there is no code {code}" + (f"; did you mean {meant}?" if meant else "")
            )
    for code in options.select if not options.live else ():
        if code in LIVE_CODES:
            raise CommandError(f"{code} comes of --live alone")
    selected = (set(options.select) or known) - set(options.ignore)
    return selected.__contains__


def _text_of(name: str, home: Path) -> tuple[str, Context]:
    if name == STDIN:
        return decoded(read_stdin(), "stdin"), context_of(None, home, frozenset(os.environ))
    path = Path(name).absolute()
    text = read_text(path)
    return text, context_of(path, home, frozenset(os.environ))


def _mended(name: str, text: str, context: Context, wanted: Callable[[str], bool]) -> str:
    """Writes the mended text to where `text` is from, and says what was mended."""
    fixed, codes = mend(text, context, wanted)
    if name == STDIN:
        sys.stdout.buffer.write(fixed.encode("utf-8"))
    elif fixed != text:
        _write(Path(name), fixed)
    if codes:
        told = ", ".join(f"{code} {number}" for code, number in sorted(codes.items()))
        complain(f"{name}: fixed {told}")
    return fixed


def _print_diff(name: str, text: str, fixed: str) -> bool:
    """Whether there is one. A diff too is shown to more people than a file."""
    before, after = ([*map(str.rstrip, masked(read(t)).splitlines())] for t in (text, fixed))
    for line in unified_diff(before, after, name, name, lineterm=""):
        print(printable(line))
    return fixed != text


def _checked(
    name: str,
    text: str,
    context: Context,
    verifying: Verifier | None,
    wanted: Callable[[str], bool],
) -> Checked:
    file = read(text, base=context.base)
    statuses = asyncio.run(_attest_all(file, verifying)) if verifying is not None else {}
    unknown = ProviderStatus(State.UNCHECKED)
    found = diagnose(
        file, check_config(file, context), lambda provider: statuses.get(provider, unknown)
    )
    # Only what is told is left out: a provider with an error is attested as little as before.
    told = [each for each in found if wanted(each.code)]
    tables = file.providers.values() if verifying is not None else ()
    unattested = tuple(each.id for each in tables if each.attested and each.provider is None)
    below = left_below(file) if verifying is not None else None
    return Checked(name, masked(file), LineIndex(text), told, unattested, below)


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
        return ProviderStatus(State.UNREACHABLE, error=StatusError.unreachable(error))
    finally:
        await client.aclose()
    return seen[-1]
