"""What is read and completed in time that grows with the text, not with two to the power of it.

Each text here would keep an expression that may take it in more than one way for hours.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

LINES = 40
ENOUGH_SECONDS = 60
READ = """
from ratls_ls.config.check import check
from ratls_ls.config.read import read

check(read({text!r}))
"""
COMPLETE = """
from ratls_ls.config.read import read
from ratls_ls.language.complete import complete

before, after = {text!r}.split("|")
complete(read(before + after), len(before), lambda _: None, snippets=False)
"""
STATUSES = "[model_providers.tee.ratls_policy]\nallowed_tdx_status = [\n    |\n    "


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (READ, "[model_providers.\r\n" + "# a comment\r\n" * LINES + "x = 1\r\n"),
        (COMPLETE, STATUSES + "#" * LINES + " later\n]\n"),
        (COMPLETE, STATUSES + "# a " * LINES + "\n]\n"),
    ],
)
def test_it_ends(code: str, text: str) -> None:
    program = code.format(text=text)
    subprocess.run([sys.executable, "-c", program], check=True, timeout=ENOUGH_SECONDS)
