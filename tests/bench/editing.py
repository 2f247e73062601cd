"""Typing, completion and hover in a `config.toml` of so many lines, against the faster of tombi and
plxt, both native programs, which are given `ratls-ls schema`. Servers take turns, several rounds,
and each figure is the median of its rounds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .provider import ROOT
from .table import Row

_BIN = ROOT / ".venv" / "bin"
_TOOL = ROOT.parent / "shared" / "tools" / "lsp_bench.py"
_MANUAL = json.dumps({"ratls": {"attestation": {"trigger": "manual"}}})
_SERVERS = {
    "ratls-ls": ([_BIN / "ratls-ls", "--stdio"], ["--settings", _MANUAL]),
    "tombi": ([_BIN / "tombi", "lsp", "--offline"], ["--schema", "SCHEMA"]),
    "plxt": ([_BIN / "plxt", "lsp", "stdio"], ["--schema", "SCHEMA"]),
}
_FIGURES = {
    "change_diag": "keystroke to diagnostics",
    "completion": "completion",
    "hover": "hover",
}
_Figures = dict[tuple[str, str], float]


def measure(*, smoke: bool) -> list[Row]:
    if not _TOOL.exists():
        print("editing needs ../shared/tools/lsp_bench.py, which is not beside this checkout")
        return []
    rounds, edits, sizes = (1, 8, (60,)) if smoke else (3, 40, (60, 5000))
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        schema = Path(directory) / "schema.json"
        schema.write_bytes(subprocess.check_output([str(_BIN / "ratls-ls"), "schema"]))
        for lines in sizes:
            taken: dict[str, list[_Figures]] = {name: [] for name in _SERVERS}
            for _ in range(rounds):
                for name, figures in taken.items():
                    figures.append(_measure(name, lines, schema, edits))
            rows += _rows(lines, taken)
    return rows


def _measure(name: str, lines: int, schema: Path, edits: int) -> _Figures:
    """(figure, percentile) → milliseconds."""
    command, options = _SERVERS[name]
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        arguments = [
            *("--name", name, "--lines", lines, "--edits", edits, "--requests", edits),
            *("--spawns", 0, "--json", out.name),
            *(str(schema) if option == "SCHEMA" else option for option in options),
        ]
        subprocess.run(
            [sys.executable, str(_TOOL), *map(str, arguments), "--", *map(str, command)],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=300,
        )
        found = json.loads(Path(out.name).read_text("utf-8"))
    return {
        (figure, percentile): found[figure][percentile]
        for figure in _FIGURES
        for percentile in ("p50", "p95")
    }


def _rows(lines: int, taken: dict[str, list[_Figures]]) -> list[Row]:
    rows = []
    for figure, percentile in next(iter(taken.values()))[0]:
        ours, *peers = (
            (statistics.median(row[figure, percentile] for row in rows), name)
            for name, rows in taken.items()
        )
        theirs, peer = min(peers)
        what = f"{_FIGURES[figure]}, {lines} lines, {percentile}"
        rows.append(Row(what, ours[0], peer, theirs))
    return rows
