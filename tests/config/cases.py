"""Rule cases: Markdown with TOML whose problems are marked by carets under the line.

A marker line is `      ^^^^ code: part of the message`; carets stand under the exact characters (a
span over several lines is marked on its first). "Fix `title`:" gives the text after that fix; "No
fix." says that the rule's own problems offer none. Marker lines are taken out before the text is
read. "Over `config.toml`:" makes it a profile's file and gives the user's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ratls_ls.config.check import Context
from ratls_ls.config.overlay import base_of
from ratls_ls.config.problem import Problem
from ratls_ls.config.read import read

FOLDER = Path(__file__).parent / "rules"

_CASE = re.compile(r"^## (?P<title>.+)\n(?P<body>(?:(?!^## ).*\n?)*)", re.MULTILINE)
_BLOCK = re.compile(
    r"(?:^(?:Fix `(?P<fix>.+)`|(?P<base>Over `config.toml`)):\n\n)?"
    r"^```toml\n(?P<text>(?:(?!```).*\n)*?)```$",
    re.MULTILINE,
)
_MARKER = re.compile(r" *(?P<carets>\^+) (?P<code>[a-z-]+)(?:: (?P<message>.*))?")


@dataclass(frozen=True)
class Mark:
    """Where a problem is expected; columns count code points."""

    line: int
    start: int
    end: int
    code: str
    message: str


@dataclass(frozen=True)
class Case:
    code: str
    title: str
    text: str
    marks: tuple[Mark, ...]
    fixes: tuple[tuple[str, str], ...]
    is_fixless: bool
    context: Context

    def __str__(self) -> str:
        return f"{self.code}: {self.title}"


def load() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.md")) for case in _cases(path)]


def _cases(path: Path) -> list[Case]:
    cases = []
    for match in _CASE.finditer(path.read_text(encoding="utf-8")):
        body = match["body"]
        blocks = list(_BLOCK.finditer(body))
        base = next((base_of(read(block["text"])) for block in blocks if block["base"]), None)
        (_, marked), *fixes = [(b["fix"], b["text"]) for b in blocks if not b["base"]]
        text, marks = _unmarked(marked)
        environment = re.search(r"^Environment: (.*)$", body, re.MULTILINE)
        mode = re.search(r"^Mode: (.*)$", body, re.MULTILINE)
        context = Context(
            kind="profile" if base else "project" if "\nProject.\n" in body else "user",
            environment=frozenset(environment[1].split()) if environment else None,
            base=base,
            mode=int(mode[1], 8) if mode else None,
        )
        fixless = "\nNo fix.\n" in body
        cases.append(Case(path.stem, match["title"], text, marks, tuple(fixes), fixless, context))
    return cases


def _unmarked(marked: str) -> tuple[str, tuple[Mark, ...]]:
    lines: list[str] = []
    marks = []
    for line in marked.splitlines(keepends=True):
        found = _MARKER.fullmatch(line.rstrip("\n"))
        if found is None:
            lines.append(line)
            continue
        start, end = found.span("carets")
        marks.append(Mark(len(lines) - 1, start, end, found["code"], found["message"] or ""))
    return "".join(lines), tuple(marks)


def mark_of(problem: Problem, text: str) -> Mark:
    """Where a problem is, as a mark would say it."""
    start = problem.span.start
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    end = min(problem.span.end, len(text) if line_end == -1 else line_end)
    line = text.count("\n", 0, start)
    return Mark(line, start - line_start, end - line_start, problem.code, problem.message)
