"""`ratls-ls demo`: the whole product in one minute, with no network.

Invariant: everything shown happened just now. The screen and `--json` tell the same events.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from rich.console import Console

from ratls_ls.cli.exits import EXIT_YES, CommandError

from .screen import Screen
from .story import Event, story

TOKEN_SECONDS = 0.07


def demo(options: argparse.Namespace) -> int:
    """Exit 0 if everything went as told; CommandError if it did not."""
    console = Console(highlight=False)
    watched = console.is_terminal and not options.json
    tell = _print_json if options.json else Screen(console, hurried=not watched).tell
    try:
        asyncio.run(_tell(tell, TOKEN_SECONDS if watched else 0.0))
    except TimeoutError as error:
        raise CommandError("the demo stopped: its language server did not answer") from error
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise CommandError(f"the demo cannot run here: {error.strerror or error}") from error
    return EXIT_YES


async def _tell(tell: Callable[[Event], None], token_seconds: float) -> None:
    with tempfile.TemporaryDirectory(prefix="ratls-demo-") as home:
        async with aclosing(story(Path(home), token_seconds)) as events:
            async for event in events:
                tell(event)


def _print_json(event: Event) -> None:
    print(json.dumps(event), flush=True)
