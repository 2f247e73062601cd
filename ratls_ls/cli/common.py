"""What several commands need: the config named, the provider named, the verifier."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from ratls_ls import bounded
from ratls_ls.atls.verifier import TrustError, Verifier, build_verifier
from ratls_ls.config.check import check
from ratls_ls.config.model import Provider
from ratls_ls.config.overlay import left_below
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.read import ConfigFile, read
from ratls_ls.config.rules.toml_syntax import RULE as TOML_SYNTAX
from ratls_ls.config.span import LineIndex
from ratls_ls.config.words import shown
from ratls_ls.session import codex_home, context_of, home_doubt

from .exits import CommandError


def config_path(options: argparse.Namespace) -> Path:
    """The config named by --config, else the user-level one."""
    named: Path | None = options.config
    return named or user_home(needed=True) / "config.toml"


def user_home(*, needed: bool = False) -> Path:
    """Where Codex keeps the user's own configs; if that is not `needed`, it may be nowhere.

    Raises CommandError.
    """
    doubt = home_doubt(None, os.environ)
    # What was said and does not count is no less an error where it only bears on another file.
    if doubt is not None and (needed or os.environ.get("CODEX_HOME")):
        raise CommandError(doubt)
    return codex_home(None, os.environ)


def read_text(path: Path) -> str:
    """A config's text. Raises CommandError."""
    try:
        return decoded(bounded.read(path), str(path))
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error


def decoded(data: bytes, name: str) -> str:
    """The text that `name` holds. Raises CommandError, saying where it is none."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        lines = data[: error.start].decode("utf-8").split("\n")
        place = f"line {len(lines)}, column {len(lines[-1]) + 1}"
        raise CommandError(f"{name} is not UTF-8 text: {place}") from error


def read_stdin() -> bytes:
    """All of stdin. Raises CommandError."""
    try:
        return bounded.read_all(sys.stdin.buffer)
    except OSError as error:
        raise CommandError(f"cannot read stdin: {error.strerror}") from error


def read_config(path: Path) -> tuple[ConfigFile, list[Problem]]:
    """The config at `path` and its problems. Raises CommandError."""
    context = context_of(path.absolute(), user_home(), frozenset(os.environ))
    file = read(read_text(path), base=context.base)
    return file, check(file, context)


def find_provider(options: argparse.Namespace, name: str) -> Provider:
    """The attested provider `name`. Raises CommandError, saying what is wrong with it."""
    path = config_path(options)
    file, problems = read_config(path)
    if file.base is not None and name in file.base.by_id and name not in file.providers:
        # The profile leaves it as it is, as far as all of the profile can be read.
        if errors := _errors(file, problems, name):
            raise _faulty(name, _lines(path, file, errors))
        path = user_home() / "config.toml"
        file, problems = read_config(path)
    table = file.providers.get(name)
    if table is None and file.document.issues:
        syntax = (problem for problem in problems if problem.code == TOML_SYNTAX.code)
        raise CommandError(f"{path} is not TOML:\n{_lines(path, file, syntax)}")
    if table is None:
        known = ", ".join(map(shown, file.providers)) or "none"
        raise CommandError(f"{path} has no provider {shown(name)} (it has: {known})")
    if table.provider is not None:
        return table.provider
    if not table.attested:
        raise CommandError(f"{shown(name)} is not attested: set use_ratls = true in {path}")
    raise _faulty(name, _lines(path, file, _errors(file, problems, table.id)))


def attested_ids(options: argparse.Namespace) -> list[str]:
    """Every attested provider of the config; of a profile also the one that it selects and leaves
    as it is. Raises CommandError if there is none."""
    path = config_path(options)
    file, problems = read_config(path)
    ids = [table.id for table in file.providers.values() if table.attested]
    if (left := left_below(file)) is not None:
        ids.append(left)
    if not ids:
        errors = _lines(path, file, _errors(file, problems, ""))
        raise CommandError(f"{path} has no attested provider" + (f":\n{errors}" if errors else ""))
    return ids


def _faulty(provider: str, lines: str) -> CommandError:
    return CommandError(f"{shown(provider)} has errors in its configuration:\n{lines}")


def verifier(options: argparse.Namespace) -> Verifier:
    """Raises CommandError."""
    try:
        return build_verifier(
            ca_files=options.ca_file or (),
            unsafe_root_ca=options.unsafe_root_ca or (),
            environment=os.environ,
        )
    except TrustError as error:
        raise CommandError(str(error)) from error


def _errors(file: ConfigFile, problems: Iterable[Problem], provider: str) -> list[Problem]:
    """Why a provider is not attested: its own errors, and whatever may concern any provider."""
    alone = {table.id for table in file.providers.values() if table.is_policy_alone}
    return [
        problem
        for problem in problems
        if problem.severity is Severity.ERROR and problem.provider in {provider, None, *alone}
    ]


def _lines(path: Path, file: ConfigFile, problems: Iterable[Problem]) -> str:
    index = LineIndex(file.text)
    return "\n".join(
        f"{path}:{index.position(problem.span.start).line + 1}: {problem.code}: {problem.message}"
        for problem in problems
    )
