"""Latency of typing, completion, hover and start, against tombi and plxt, as ratios of one run.

Servers take turns, several rounds, and each figure is the median of its rounds: what else the
machine does falls on all of them alike.

    python tests/bench/editing.py            prints the table
    python tests/bench/editing.py --smoke    tiny, for CI
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv" / "bin"
TOOL = ROOT.parent / "shared" / "tools" / "lsp_bench.py"
MANUAL = json.dumps({"attestation": {"trigger": "manual"}})
SERVERS = {
    "ratls-ls": ([BIN / "ratls-ls", "--stdio"], ["--settings", MANUAL]),
    "tombi": ([BIN / "tombi", "lsp", "--offline"], ["--schema", "SCHEMA"]),
    "plxt": ([BIN / "plxt", "lsp", "stdio"], ["--schema", "SCHEMA"]),
}
FIGURES = ("spawn_init", "change_diag", "completion", "hover")
Figures = dict[tuple[str, str], float]


def measure(name: str, lines: int, schema: Path, edits: int) -> Figures:
    """(figure, percentile) → milliseconds."""
    command, options = SERVERS[name]
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        arguments = [
            *("--name", name, "--lines", lines, "--edits", edits, "--requests", edits),
            *("--spawns", 2, "--json", out.name),
            *(str(schema) if option == "SCHEMA" else option for option in options),
        ]
        subprocess.run(
            [sys.executable, str(TOOL), *map(str, arguments), "--", *map(str, command)],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=300,
        )
        found = json.loads(Path(out.name).read_text("utf-8"))
    return {
        (figure, percentile): found[figure][percentile]
        for figure in FIGURES
        for percentile in ("p50", "p95")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--smoke", action="store_true", help="tiny, for CI")
    smoke = parser.parse_args().smoke
    if not TOOL.exists():
        print("needs ../shared/tools/lsp_bench.py, which is not beside this checkout")
        return
    rounds, edits, sizes = (1, 8, (60,)) if smoke else (3, 40, (60, 5000))
    with tempfile.TemporaryDirectory() as directory:
        schema = Path(directory) / "schema.json"
        schema.write_bytes(subprocess.check_output([str(BIN / "ratls-ls"), "schema"]))
        print("| lines | | ratls-ls ms | tombi | plxt | ratio to the faster |")
        print("|---|---|---|---|---|---|")
        for lines in sizes:
            taken: dict[str, list[Figures]] = {name: [] for name in SERVERS}
            for _ in range(rounds):
                for name, rows in taken.items():
                    rows.append(measure(name, lines, schema, edits))
            _print(lines, taken)


def _print(lines: int, taken: dict[str, list[Figures]]) -> None:
    for figure in FIGURES:
        for percentile in ("p50", "p95"):
            ours, *peers = (
                statistics.median(row[figure, percentile] for row in rows)
                for rows in taken.values()
            )
            shown = " | ".join(f"{peer:.1f}" for peer in peers)
            ratio = ours / max(min(peers), 0.01)
            print(f"| {lines} | {figure} {percentile} | {ours:.1f} | {shown} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
