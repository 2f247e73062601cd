"""The documents: links lead somewhere, commands parse, policies are free of errors."""

from __future__ import annotations

import ast
import html
import importlib.util
import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ratls_ls import __version__
from ratls_ls.cli.parser import parser
from ratls_ls.config.check import check
from ratls_ls.config.problem import Severity
from ratls_ls.config.read import read
from ratls_ls.config.rules import RULES
from ratls_ls.language.diagnose import RULES_URL
from ratls_ls.simulator import FAULTS

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("editor/*/README.md"),
        *ROOT.glob("editor/*/examples/*/README.md"),
    ]
)
# Links to our own files, where a document is read away from them.
OURS = re.compile(
    r"https://(raw\.githubusercontent\.com/ratls-ls/ratls-ls/main/"
    r"|github\.com/ratls-ls/ratls-ls(/(blob|tree)/main/|(?=#)))"
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _named(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text("utf-8")):
        base, target = document, link
        if ours := OURS.match(link):
            base, target = ROOT / "README.md", link[ours.end() :]
        elif link.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (base.parent / path).resolve() if path else base
        assert file.exists(), link
        if anchor:
            page = file / "README.md" if file.is_dir() else file
            assert anchor in anchors(page.read_text("utf-8")), link


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if d.name != "rules.md"], ids=_named)
def test_policies_are_free_of_errors(document: Path) -> None:
    for language, text in BLOCK.findall(document.read_text("utf-8")):
        if language == "toml" and "model_providers" in text:
            errors = [p for p in check(read(text)) if p.severity is Severity.ERROR]
            assert errors == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_commands_are_commands(document: Path) -> None:
    for language, text in BLOCK.findall(document.read_text("utf-8")):
        for line in text.splitlines() if language == "sh" else ():
            words = shlex.split(line, comments=True)
            if words[:1] == ["ratls-ls"]:
                ours = itertools.takewhile(lambda word: word not in ("|", "<", ">"), words)
                parser().parse_args(list(ours)[1:])
            if words[:1] == ["make"]:
                targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
                assert words[1] in targets, line


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_picture_of_the_demo_is_that_of_the_demo() -> None:
    drawing = _script("demo")
    told = [_words(picture) for picture in (drawing.FILE.read_text("utf-8"), drawing.draw())]
    assert told[0] == told[1], "run `make pictures`"


def _words(picture: str) -> str:
    """What a picture says, whenever and however it was drawn."""
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", picture)
    return re.sub(r"\d\d:\d\d|\s", "", html.unescape("".join(texts)))


def test_the_rule_reference_is_that_of_the_rules() -> None:
    page = _script("rules")
    assert page.FILE.read_text("utf-8") == page.render(), "run `make docs`"


def test_every_code_has_the_anchor_that_diagnostics_link_to() -> None:
    there = anchors((ROOT / "docs" / "rules.md").read_text("utf-8"))
    live = {"affirmed", "degraded", "rejected", "unreachable", "stale"}
    codes = {rule.code for rule in RULES} | {f"attestation-{word}" for word in live}
    assert codes | {"measurement-changed"} <= there
    assert RULES_URL.endswith("docs/rules.md")


def test_every_threat_is_held_by_tests_and_faults_that_there_are() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, 141))
    for number, _, held in rows:
        _, _, played = held.partition("plays ")
        named = set(re.findall(r"`([\w-]+)`", played))
        declared = {fault.name for fault in FAULTS.values() if int(number) in fault.threats}
        assert named == declared, number


def test_the_extension_has_the_version_of_the_server() -> None:
    package = json.loads((ROOT / "editor/vscode/package.json").read_text("utf-8"))
    assert package["version"] == __version__


def test_the_tests_that_are_named_are_there() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 90
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text("utf-8"), f"{file}::{test}"


def test_the_messages_that_are_explained_are_said() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").partition("## Codex")[0]
    rows = re.findall(r"^\| (`[^|]*) \|[^|]*\|[^|]*\|$", text, re.MULTILINE)
    explained = {
        message for row in rows for message in re.findall("`([^`]+)`", row) if " " in message
    }
    assert len(explained) > 20
    said = list(_texts_of_the_program())
    for message in explained:
        # What is filled in is dots, or an example.
        parts = re.split(r"…|\d+(?= s$)|OutOfDate|/tdx_quote", message)
        for part in filter(None, map(str.strip, parts)):
            assert any(part in text for text in said), message


def _texts_of_the_program() -> Iterator[str]:
    """Every text in the sources, with "…" for what is filled in."""
    for path in (ROOT / "ratls_ls").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Constant(value=str(text)):
                    yield text
                case ast.JoinedStr(values=parts):
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts
                    )
