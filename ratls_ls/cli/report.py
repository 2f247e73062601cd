"""Check results as text, JSON, SARIF 2.1.0 or GitHub annotations."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

from ratls_ls import __version__
from ratls_ls.config.problem import Severity
from ratls_ls.config.rules import RULES
from ratls_ls.config.span import LineIndex, PositionEncoding
from ratls_ls.config.words import printable
from ratls_ls.language.diagnose import LIVE_CODES, RULES_URL, Diagnostic
from ratls_ls.session import diagnostic_json

_STYLES = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.INFORMATION: "bold blue",
    Severity.HINT: "dim",
}
_SARIF_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "note",
    Severity.HINT: "note",
}
_GITHUB_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFORMATION: "notice",
    Severity.HINT: "notice",
}
_WORDS = {rule.code: rule.words for rule in RULES} | {
    code: words for code, (_, words) in LIVE_CODES.items()
}
_MAX_LINE = 160
_LEAD = 40
"""How much of a longer line stands before what is marked."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One file and what was found in it. `name` is how the user called it; `text` is without its
    secrets, since a report is shown to more people than a file. `unattested`: the ids of those that
    were to be attested and could not, for the errors in the file; `below`: that of the provider
    which a profile selects and leaves as the user's own config has it."""

    name: str
    text: str
    index: LineIndex
    diagnostics: list[Diagnostic]
    unattested: tuple[str, ...] = ()
    below: str | None = None


def text(files: Sequence[Checked], stream: TextIO) -> None:
    """For a person: place, message, source line, caret, fix."""
    console = Console(file=stream, highlight=False, soft_wrap=True)
    for file in files:
        for item in file.diagnostics:
            _text(console, file, item)
    errors = sum(item.severity is Severity.ERROR for file in files for item in file.diagnostics)
    others = sum(len(file.diagnostics) for file in files) - errors
    if not errors and not others:
        console.print(Text("no problems", "green"))
    else:
        console.print(f"{_count(errors, 'error')}, {_count(others, 'other problem')}")
        console.print(Text(f"what the codes mean: {RULES_URL}", "dim"))


def _text(console: Console, file: Checked, item: Diagnostic) -> None:
    line, column = file.index.position(item.span.start, PositionEncoding.UTF_32)
    # What stands in a file is not for the terminal to obey.
    source = printable(file.index.line_span(line).of(file.text)).rstrip()
    end = file.index.position(item.span.end, PositionEncoding.UTF_32)
    width = max(1, (end.character if end.line == line else len(source)) - column)
    head = Text(f"{printable(file.name)}:{line + 1}:{column + 1}: ")
    head.append(f"{item.severity} ", _STYLES[item.severity])
    head.append(f"[{item.code}]", Style(dim=True, link=_help(item.code)))
    console.print(head)
    console.print(Text(f"  {printable(item.message)}"))
    cut = max(0, column - _LEAD) if column + width > _MAX_LINE else 0
    before, marked = source[cut:column], source[column : column + width]
    before = f"…{before}" if cut else before
    marked = marked[: _MAX_LINE - len(before)]
    after = source[column + len(marked) :]
    rest = after[: _MAX_LINE - len(before) - len(marked)]
    shown = f"{before}{marked}{rest}{'…' if rest != after else ''}"
    console.print(Text(f"  {line + 1:>4} | {shown}", "dim"))
    blank = "\t".join(" " * cell_len(part) for part in before.split("\t"))
    carets = "^" * max(1, cell_len(marked.replace("\t", " ")))
    console.print(Text(f"       | {blank}{carets}", _STYLES[item.severity]))
    for title in _fix_titles(item)[:1]:
        console.print(Text(f"  fix: {title}", "cyan"))
    console.print()


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def as_json(files: Sequence[Checked], stream: TextIO) -> None:
    """The problem list of the interface: zero-based, UTF-16."""
    problems = [
        diagnostic_json(item, file.name, file.index, PositionEncoding.UTF_16)
        for file in files
        for item in file.diagnostics
    ]
    json.dump({"problems": problems}, stream, indent=2)
    stream.write("\n")


def sarif(files: Sequence[Checked], stream: TextIO) -> None:
    """SARIF 2.1.0, columns in UTF-16 code units."""
    codes = sorted({item.code for file in files for item in file.diagnostics})
    driver = {
        "name": "ratls-ls",
        "version": __version__,
        "informationUri": RULES_URL,
        "rules": [_sarif_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "utf16CodeUnits",
        "results": [_sarif(file, item, codes) for file in files for item in file.diagnostics],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    json.dump(document, stream, indent=2)
    stream.write("\n")


def _sarif(file: Checked, item: Diagnostic, codes: list[str]) -> dict[str, Any]:
    span = file.index.range(item.span, PositionEncoding.UTF_16)
    region = {
        "startLine": span["start"]["line"] + 1,
        "startColumn": span["start"]["character"] + 1,
        "endLine": span["end"]["line"] + 1,
        "endColumn": span["end"]["character"] + 1,
    }
    location = {"artifactLocation": {"uri": _uri(file.name)}, "region": region}
    return {
        "ruleId": item.code,
        "ruleIndex": codes.index(item.code),
        "level": _SARIF_LEVELS[item.severity],
        "message": {"text": item.message},
        "locations": [{"physicalLocation": location}],
    }


def _sarif_rule(code: str) -> dict[str, Any]:
    words = " ".join(_WORDS[code].split())
    first_sentence = re.match(r".*?\.(?= |$)", words)
    return {
        "id": code,
        "shortDescription": {"text": first_sentence[0] if first_sentence else words},
        "fullDescription": {"text": words},
        "helpUri": _help(code),
    }


def _help(code: str) -> str:
    return f"{RULES_URL}#{code}"


def _uri(name: str) -> str:
    """A file's name as URI reference: relative as it was given."""
    path = Path(name)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))


def github(files: Sequence[Checked], stream: TextIO) -> None:
    """Workflow commands that GitHub shows as annotations."""
    for file in files:
        for item in file.diagnostics:
            start = file.index.position(item.span.start, PositionEncoding.UTF_32)
            end = file.index.position(item.span.end, PositionEncoding.UTF_32)
            place = f"line={start.line + 1},endLine={end.line + 1}"
            if start.line == end.line:  # GitHub takes columns within one line alone
                place += f",col={start.character + 1},endColumn={end.character + 1}"
            name = _escaped(file.name, property_value=True)
            message = _escaped(item.message, property_value=False)
            stream.write(
                f"::{_GITHUB_LEVELS[item.severity]} file={name},{place},title={item.code}"
                f"::{message}\n"
            )


def _escaped(value: str, *, property_value: bool) -> str:
    value = printable(value).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return value.replace(":", "%3A").replace(",", "%2C") if property_value else value


def _fix_titles(item: Diagnostic) -> list[str]:
    return [fix.title for fix in item.problem.fixes] if item.problem is not None else []


FORMATS: dict[str, Callable[[Sequence[Checked], TextIO], None]] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "github": github,
}
