"""Draws `docs/images/demo.svg`: the demo from its second act on, as a terminal shows it.

python docs/demo.py
"""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from ratls_ls.cli.demo.screen import Screen
from ratls_ls.cli.demo.story import story

FILE = Path(__file__).with_name("images") / "demo.svg"
WIDTH = 108  # of the answer, which is not wrapped


async def _play(console: Console) -> None:
    screen = Screen(console, hurried=True)
    with tempfile.TemporaryDirectory(prefix="ratls-demo-") as home:
        async for event in story(Path(home), 0.0):
            if event["event"] == "saved":
                console.export_text(clear=True)  # what was shown so far
            screen.tell(event)


def draw() -> str:
    """The picture, which loads nothing from anywhere."""
    console = Console(
        width=WIDTH, file=io.StringIO(), record=True, force_terminal=True, highlight=False
    )
    asyncio.run(_play(console))
    picture = console.export_svg(title="ratls-ls demo", unique_id="demo")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    return picture.replace("Fira Code", "ui-monospace, SFMono-Regular, Menlo, Consolas")


if __name__ == "__main__":
    FILE.write_text(draw(), "utf-8")
