"""The demo's events for a person: what an editor would show, and a line on why it matters."""

from __future__ import annotations

import difflib
import time

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from .story import Event

PAUSE_SECONDS = 2.0
_INDENT = 3
# LSP's DiagnosticSeverity.
_SEVERITIES = {1: ("error", "bold red"), 2: ("warning", "bold yellow")}


class Screen:
    """`hurried`: nobody watches, so there are no pauses."""

    def __init__(self, console: Console, *, hurried: bool) -> None:
        self._console = console
        self._hurried = hurried
        self._act = 0
        self._text = ""
        self._attacked = False

    def tell(self, event: Event) -> None:
        """Show one event."""
        getattr(self, f"_{event['event']}")(event)

    def _provider(self, event: Event) -> None:
        title = Text("ratls-ls demo", "bold")
        title.append("  everything runs on this machine, without network", "dim")
        self._console.print(title)
        self._line(
            f"A simulated Intel TDX provider serves {event['baseUrl']}; the real language server "
            "runs as your editor would start it."
        )

    def _opened(self, event: Event) -> None:
        self._text = event["text"]
        self._heading("You open a policy with mistakes", "Codex would take it without a word.")

    def _problem(self, event: Event) -> None:
        if event["severity"] not in _SEVERITIES:
            return
        name, style = _SEVERITIES[event["severity"]]
        start, end = event["range"]["start"], event["range"]["end"]
        source = self._text.splitlines()[start["line"]]
        gutter = f"{start['line'] + 1:>4} │ "
        room = max(20, self._console.width - _INDENT - len(gutter))
        excerpt = Text(gutter, "dim")
        excerpt.append(source if len(source) <= room else source[: room - 1] + "…", "default")
        width = min(end["character"] - start["character"], room - start["character"])
        excerpt.append("\n     │ ", "dim")
        excerpt.append(" " * start["character"] + "^" * max(1, width), style)
        excerpt.append(f"\n     {name} ", style)
        excerpt.append(f"[{event['code']}]", "dim")
        self._print(excerpt)
        self._print(Text(event["message"]), indent=_INDENT + 5)
        self._console.print()

    def _saved(self, event: Event) -> None:
        self._heading("You fix it and save", "Saved, valid and trusted: now the server attests.")
        before, self._text = self._text, event["text"]
        for line in difflib.ndiff(before.splitlines(), self._text.splitlines()):
            if line[0] in "+-":
                style = "green" if line[0] == "+" else "red"
                text = Text(line, style, no_wrap=True, overflow="ellipsis")
                self._print(text)

    def _status(self, event: Event) -> None:
        self._console.print()
        for claim in event["result"]["claims"]:
            text = Text("✓ ", "green")
            text.append(f"{claim['name']:<16}", "green")
            text.append(claim.get("reason") or claim.get("actual") or "", "dim")
            text.no_wrap, text.overflow = True, "ellipsis"
            self._print(text)
        self._print(Text(f"\n{event['message']}", "bold green"))

    def _prompt(self, event: Event) -> None:
        if not self._attacked:
            self._heading(
                "You send a prompt over the attested connection",
                "The socket that was appraised is the one that carries it.",
            )
        self._print(Text.assemble(("you    ", "bold"), event["text"]))
        if not self._attacked:
            self._console.print(Text(" " * _INDENT + "model ", "bold"), end="")

    def _token(self, event: Event) -> None:
        self._console.print(Text(f" {event['text'].strip()}"), end="", soft_wrap=True)

    def _answered(self, event: Event) -> None:
        self._console.print()

    def _received(self, event: Event) -> None:
        text = f"the provider received {event['promptBytes']} bytes of the prompt"
        if self._attacked:
            quotes = event["quoteRequests"]
            asked = f"{quotes} request{'' if quotes == 1 else 's'} for a quote"
            text += f": {asked} and {event['apiBytes']} other bytes reached it"
        self._print(Text(text, "bold green"))

    def _attack(self, event: Event) -> None:
        self._attacked = True
        self._heading("The provider is attacked", event["title"])

    def _refused(self, event: Event) -> None:
        for claim in event["result"]["claims"]:
            if claim["verdict"] == "failed":
                text = Text(f"✗ {claim['name']}  ", "bold red")
                text.append(claim.get("reason") or "failed", "default")
                self._print(text)

    def _end(self, _: Event) -> None:
        self._console.print()
        self._line("Next: ratls-ls check, on your own config; ratls-ls --help for the rest.")

    def _heading(self, title: str, narration: str) -> None:
        self._pause()
        self._act += 1
        self._console.print(Text(f"\n{self._act}  {title}", "bold cyan"))
        self._line(narration)
        self._console.print()

    def _pause(self) -> None:
        if not self._hurried:
            time.sleep(PAUSE_SECONDS)

    def _line(self, text: str) -> None:
        self._print(Text(text, "italic dim"))

    def _print(self, text: Text, indent: int = _INDENT) -> None:
        self._console.print(Padding(text, (0, 0, 0, indent), expand=False))
