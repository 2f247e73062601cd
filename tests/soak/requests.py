"""The requests of a soak, and what must have become of each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pygls.exceptions import JsonRpcException

from .scene import ATTACKER, GOOD, Scene, SoakError

ANSWER_SECONDS = 60.0
CANCELLED = -32800
TYPED = frozenset({-32010, -32013, -32015, CANCELLED})
BROKEN_CONFIG = -32012  # somebody types behind the attacker's table, which is the last
CANARY = "soak-canary"


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of request. `whole`: whether result and parts are the whole answer to it."""

    path: str
    body: dict[str, Any] | None
    streamed: bool
    whole: Callable[[dict[str, Any], list[Any]], bool]


def _events(count: int) -> Callable[[dict[str, Any], list[Any]], bool]:
    def whole(_result: dict[str, Any], parts: list[Any]) -> bool:
        ids = [
            part["id"] for part in parts if part["kind"] == "event" and part["event"] == "sample"
        ]
        return ids == [str(index) for index in range(count)] and parts[-1]["data"] == "[DONE]"

    return whole


PROMPT = {"model": "simulated-llm", "messages": [{"role": "user", "content": CANARY}]}
SHAPES = (
    Shape("/test/echo", {"text": CANARY}, False, lambda found, _: CANARY in found["body"]["body"]),
    Shape("/test/events?count=20", None, True, _events(20)),
    Shape(
        "/chat/completions",
        {**PROMPT, "stream": True},
        True,
        lambda _, parts: parts[0]["kind"] == "head" and parts[-1]["data"] == "[DONE]",
    ),
    Shape(
        "/test/bytes?count=70000", None, False, lambda found, _: len(found["bodyBase64"]) > 93000
    ),
    Shape("/test/chunks?count=50", None, True, lambda _, parts: "chunk 49" in parts[-1]["text"]),
    Shape("/test/empty", None, False, lambda found, _: found["status"] == 204),
    Shape("/test/status?code=503", None, False, lambda found, _: found["status"] == 503),
)


async def ask(scene: Scene, number: int, chosen: random.Random, attacked_share: float) -> None:
    """One request, its answer judged; to the attacker so often. Raises SoakError."""
    attacked, cancelled = chosen.random() < attacked_share, chosen.random() < 0.05
    shape = SHAPES[2] if attacked else chosen.choice(SHAPES)
    token = f"request-{number}"
    path, _, query = shape.path.partition("?")
    params: dict[str, Any] = {"provider": ATTACKER if attacked else GOOD, "path": path}
    if query:
        params["query"] = dict([query.split("=")])
    if shape.body is not None:
        params["body"] = shape.body
    if shape.streamed:
        params["partialResultToken"] = token
    unrest, was_calm = scene.unrest, scene.troubles == 0
    identifier, answer = scene.editor.start_request("attestedRequest", params)
    if cancelled:
        for _ in range(chosen.randint(0, 5)):
            await asyncio.sleep(0)
        scene.editor.cancel(identifier)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            result = await answer
    except TimeoutError:
        raise SoakError(f"no answer to {params}") from None
    except JsonRpcException as error:
        _judge_error(error, attacked=attacked)
        calm = was_calm and unrest == scene.unrest
        if calm and not attacked and not cancelled:
            raise SoakError(f"nothing was wrong, yet: {error.code} {error.message}") from None
        scene.count(f"{'attacked' if attacked else 'good'}: {error.code}")
        return
    finally:
        parts = scene.editor.parts.pop(token, [])
    if not attacked and not shape.whole(result, parts):
        raise SoakError(f"{shape.path} was answered by half")
    scene.count("attacked: answered" if attacked else "good: answered")


def _judge_error(error: JsonRpcException, *, attacked: bool) -> None:
    if error.code not in TYPED and not (attacked and error.code == BROKEN_CONFIG):
        raise SoakError(f"an error of no known kind: {error.code} {error.message}")
    if CANARY in f"{error.message}{error.data}":
        raise SoakError("an error repeats the prompt")
