"""What is read and completed in time that grows with the text, not with a power of it or worse.

Each text here would keep an expression that may take it in more than one way for hours, or whoever
looks for the end of each bracket for many minutes.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

LINES = 40
MANY_LINES = 40_000
ENOUGH_SECONDS = 60
READ = """
import sys
from ratls_ls.config.check import check
from ratls_ls.config.read import read

check(read(sys.stdin.buffer.read().decode()))
"""
COMPLETE = """
import sys
from ratls_ls.config.read import read
from ratls_ls.language.complete import complete

before, after = sys.stdin.buffer.read().decode().split("|")
complete(read(before + after), len(before), lambda _: None, snippets=False)
"""
STATUSES = "[model_providers.tee.ratls_policy]\nallowed_tdx_status = [\n    |\n    "


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (READ, "[model_providers.\r\n" + "# a comment\r\n" * LINES + "x = 1\r\n"),
        (READ, "a = {\n" * MANY_LINES),
        (COMPLETE, STATUSES + "#" * LINES + " later\n]\n"),
        (COMPLETE, STATUSES + "# a " * LINES + "\n]\n"),
    ],
)
def test_it_ends(code: str, text: str) -> None:
    command = [sys.executable, "-c", code]
    subprocess.run(command, input=text.encode(), check=True, timeout=ENOUGH_SECONDS)
