"""An OpenAI-compatible API that says one sentence, whole or token by token.

Shapes: OpenAI API reference, "Models", "Chat Completions" and "Responses", with their streams.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from .http import JSON, Request, Response

MODEL = "simulated-llm"
REPLY = (
    "Hello from a simulated trust domain: your prompt came over the very session that was attested."
)
EVENT_STREAM = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")]
_CREATED = 1_767_225_600  # 2026-01-01


@dataclass(frozen=True, slots=True)
class OpenAi:
    """`reply`: what the model always says. `token_seconds`: pause before each token. `api_key`:
    required as bearer token, if given."""

    reply: str = REPLY
    token_seconds: float = 0.0
    api_key: str | None = None

    async def respond(self, request: Request) -> Response | None:
        """The answer of the API; None if it has no such path."""
        route = self._route(request.path)
        if route is None:
            return None
        method, answer = route
        if request.method != method:
            return error(405, f"{request.method} is not allowed here", "invalid_request_error")
        if self.api_key is not None and (
            request.headers.get("authorization") != f"Bearer {self.api_key}"
        ):
            return error(401, "Incorrect API key provided", "authentication_error")
        if method == "GET":
            return answer({})
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return error(400, "the body is not a JSON object", "invalid_request_error")
        return answer(body)

    def _route(self, path: str) -> tuple[str, Callable[[dict[str, Any]], Response]] | None:
        return {
            "/v1/models": ("GET", _models),
            "/v1/chat/completions": ("POST", self._chat),
            "/v1/responses": ("POST", self._responses),
        }.get(path)

    def _chat(self, body: dict[str, Any]) -> Response:
        if body.get("stream") is True:
            return Response(200, list(EVENT_STREAM), self._chat_events(body))
        message = {"role": "assistant", "content": self.reply, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return json_response(
            _completion("chat.completion", body)
            | {"choices": [choice], "usage": self._chat_usage(body)}
        )

    async def _chat_events(self, body: dict[str, Any]) -> AsyncIterator[bytes]:
        def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return event(_completion("chat.completion.chunk", body) | {"choices": [choice]})

        yield chunk({"role": "assistant", "content": ""})
        for token in self._tokens():
            await asyncio.sleep(self.token_seconds)
            yield chunk({"content": token})
        yield chunk({}, "stop")
        if (body.get("stream_options") or {}).get("include_usage"):
            usage = {"choices": [], "usage": self._chat_usage(body)}
            yield event(_completion("chat.completion.chunk", body) | usage)
        yield b"data: [DONE]\n\n"

    def _chat_usage(self, body: dict[str, Any]) -> dict[str, int]:
        prompt, completion = _count(body.get("messages")), len(self._tokens())
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }

    def _responses(self, body: dict[str, Any]) -> Response:
        if body.get("stream") is True:
            return Response(200, list(EVENT_STREAM), self._response_events(body))
        return json_response(self._response(body, "completed"))

    async def _response_events(self, body: dict[str, Any]) -> AsyncIterator[bytes]:
        number = -1

        def numbered(kind: str, **content: Any) -> bytes:
            nonlocal number
            number += 1
            return event({"type": kind, "sequence_number": number, **content}, kind)

        place = {"item_id": "msg_simulated", "output_index": 0, "content_index": 0}
        for kind in ("response.created", "response.in_progress"):
            yield numbered(kind, response=self._response(body, "in_progress"))
        yield numbered("response.output_item.added", output_index=0, item=_message(None))
        yield numbered("response.content_part.added", **place, part=_text(""))
        for token in self._tokens():
            await asyncio.sleep(self.token_seconds)
            yield numbered("response.output_text.delta", **place, delta=token, logprobs=[])
        yield numbered("response.output_text.done", **place, text=self.reply, logprobs=[])
        yield numbered("response.content_part.done", **place, part=_text(self.reply))
        yield numbered("response.output_item.done", output_index=0, item=_message(self.reply))
        yield numbered("response.completed", response=self._response(body, "completed"))

    def _response(self, body: dict[str, Any], status: str) -> dict[str, Any]:
        done = status == "completed"
        given, said = _count(body.get("input")), len(self._tokens())
        usage = {
            "input_tokens": given,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": said,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": given + said,
        }
        return {
            "id": "resp_simulated",
            "object": "response",
            "created_at": int(time.time()),
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": body.get("model", MODEL),
            "output": [_message(self.reply)] if done else [],
            "usage": usage if done else None,
        }

    def _tokens(self) -> list[str]:
        first, *others = self.reply.split(" ")
        return [first, *(f" {word}" for word in others)]


def json_response(value: object, status: int = 200) -> Response:
    return Response(status, [("Content-Type", JSON)], json.dumps(value).encode())


def error(status: int, message: str, kind: str) -> Response:
    """An error in OpenAI's shape."""
    content = {"message": message, "type": kind, "param": None, "code": None}
    return json_response({"error": content}, status)


def event(value: object, name: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" if name is not None else ""
    return f"{head}data: {json.dumps(value)}\n\n".encode()


def _models(_: dict[str, Any]) -> Response:
    model = {"id": MODEL, "object": "model", "created": _CREATED, "owned_by": "simulator"}
    return json_response({"object": "list", "data": [model]})


def _completion(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-simulated",
        "object": kind,
        "created": int(time.time()),
        "model": body.get("model", MODEL),
    }


def _message(text: str | None) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_simulated",
        "status": "in_progress" if text is None else "completed",
        "role": "assistant",
        "content": [] if text is None else [_text(text)],
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _count(value: object) -> int:
    """About as many tokens as `value` has words."""
    return len(json.dumps(value).split())
