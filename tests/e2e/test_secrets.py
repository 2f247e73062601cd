"""A canary for each secret, through the real server: each is where it belongs and nowhere else.

What is looked through: every LSP message, stderr at the most verbose trace, every file that the
server wrote with the audit log on, and its command line.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ratls_ls.simulator import OpenAi, SimulatedProvider, serve
from ratls_ls.simulator.http import Request, Response

from .editor import trust
from .raw import RawServer, raw_server

PROMPT, ANSWER = "canary-prompt", "canary-answer"
KEY, BEARER = "canary-key", "canary-bearer"
ENV_HEADER, HEADER, QUERY = "canary-env-header", "canary-header", "canary-query"
SECRETS = (PROMPT, ANSWER, KEY, BEARER, ENV_HEADER, HEADER, QUERY)
OF_KEYED, OF_BEARER = (KEY, ENV_HEADER), (BEARER, HEADER, QUERY)
REJECTED = -32010


@dataclass(frozen=True)
class Echo(OpenAi):
    """Repeats all of a request in its answer, whose status is the end of the path."""

    received: list[str] = field(default_factory=list)

    async def respond(self, request: Request) -> Response | None:
        told = json.dumps([ANSWER, request.target, request.headers, request.body.decode()])
        self.received.append(told)
        status = request.path.rpartition("/")[2]
        return (
            Response(int(status), [("X-Echo", PROMPT)], told.encode()) if status.isdigit() else None
        )


def config(provider: SimulatedProvider) -> str:
    """The provider twice: its secrets in the environment, and literally in the file."""
    bare = "use_ratls = true\nrequest_max_retries = 0"
    tables = (
        provider.config_toml("keyed", env_key="KEY"),
        '[model_providers.keyed.env_http_headers]\nX-Env = "ENV_HEADER"\n',
        provider.config_toml("literal").replace(
            "use_ratls = true", f'use_ratls = true\nexperimental_bearer_token = "{BEARER}"'
        ),
        f'[model_providers.literal.http_headers]\nX-Literal = "{HEADER}"\n',
        f'[model_providers.literal.query_params]\nquery = "{QUERY}"\n',
    )
    return "\n".join(tables).replace("use_ratls = true", bare)


def found_in(data: str | bytes) -> set[str]:
    """The secrets in `data`, plain or in base64."""
    raw = data if isinstance(data, bytes) else data.encode()
    return {secret for secret in SECRETS if any(form in raw for form in forms(secret.encode()))}


def forms(secret: bytes) -> list[bytes]:
    """As it is, and in base64 at each place that it may begin at, without what touches others."""
    shifted = [base64.b64encode(bytes(before) + secret) for before in range(3)]
    inner = [
        text[-(-before * 4 // 3) : (before + len(secret)) * 4 // 3]
        for before, text in enumerate(shifted)
    ]
    return [secret, *inner]


async def ask(server: RawServer, identifier: str, provider: str, path: str) -> dict[str, Any]:
    params = {
        "provider": provider,
        "path": path,
        "body": {"input": PROMPT, "stream": True},
        "partialResultToken": f"parts-{identifier}",
    }
    server.send({"id": identifier, "method": "attestedRequest", "params": params})
    return await server.answer(identifier)


def is_answer(message: dict[str, Any]) -> bool:
    """The one place for what the provider said: the parts and result of a request."""
    if message.get("method") == "$/progress":
        return str(message["params"]["token"]).startswith("parts-")
    return "result" in message and str(message.get("id")).startswith("ask-")


async def test_each_secret_is_where_it_belongs_and_nowhere_else(tmp_path: Path) -> None:
    place = tmp_path / ".codex" / "config.toml"
    place.parent.mkdir()
    echo = Echo()
    async with serve(api=echo) as provider:
        place.write_text(config(provider), "utf-8")
        variables = {"KEY": KEY, "ENV_HEADER": ENV_HEADER}
        async with raw_server(tmp_path, trust(provider, tmp_path), variables) as server:
            server.send({"method": "$/setTrace", "params": {"value": "verbose"}})
            settings = {"ratls": {"audit": {"enabled": True}, "trace": {"server": "verbose"}}}
            server.send(
                {"method": "workspace/didChangeConfiguration", "params": {"settings": settings}}
            )
            await look_at(server, place)
            for status in (200, 400, 401, 404, 500):
                for name in ("keyed", "literal"):
                    answer = await ask(server, f"ask-{name}-{status}", name, f"/echo/{status}")
                    assert answer["result"]["status"] == status
            provider.set_faults(["cut-stream"])
            cut = await ask(server, "ask-cut", "keyed", "/echo/400")
            assert "error" in cut
            sent = list(echo.received)
            provider.set_faults(["relay"])
            await provider.close_connections()
            for name in ("keyed", "literal"):
                refused = await ask(server, f"ask-{name}-relayed", name, "/echo/200")
                assert refused["error"]["code"] == REJECTED
            # Neither the relay nor the genuine server behind it, which has the same API.
            assert echo.received == sent

            command = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
            server.send({"id": "end", "method": "shutdown"})
            await server.answer("end")
            server.send({"method": "exit"})
            _, log = await server.process.communicate()

    # They were really on their way.
    belongs = {PROMPT, ANSWER}
    assert found_in(sent[0]) == belongs | set(OF_KEYED)
    assert found_in(sent[1]) == belongs | set(OF_BEARER)
    answers = [message for message in server.seen if is_answer(message)]
    assert found_in(json.dumps(answers)) == set(SECRETS)

    assert found_in(log) == set()
    assert found_in(command) == set()
    for message in server.seen:
        if not is_answer(message):
            assert found_in(json.dumps(message)) == set(), message
    ours = {place, tmp_path / "web-ca.pem", tmp_path / "dcap-root.pem"}
    written = [file for file in tmp_path.rglob("*") if file.is_file() and file not in ours]
    # No collateral: what rests on a root that is not Intel's is kept in memory alone.
    kept = {file.relative_to(tmp_path / ".state" / "ratls-ls").parts[0] for file in written}
    assert kept == {"audit", "measurements"}
    assert [str(file) for file in written if found_in(file.read_bytes())] == []


async def look_at(server: RawServer, place: Path) -> None:
    """Open the config, and have everything said about each of its lines."""
    document = {"uri": place.as_uri()}
    text = place.read_text("utf-8")
    item = {**document, "languageId": "toml", "version": 1, "text": text}
    server.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
    for number, line in enumerate(text.splitlines()):
        for method in ("hover", "completion"):
            position = {"line": number, "character": len(line) - 1 if line else 0}
            params = {"textDocument": document, "position": position}
            identifier = f"{method}-{number}"
            server.send({"id": identifier, "method": f"textDocument/{method}", "params": params})
            await server.answer(identifier)
    for method in ("documentSymbol", "codeLens", "inlayHint", "semanticTokens/full", "codeAction"):
        whole = {
            "start": {"line": 0, "character": 0},
            "end": {"line": len(text.splitlines()), "character": 0},
        }
        params = {"textDocument": document, "range": whole, "context": {"diagnostics": []}}
        server.send({"id": method, "method": f"textDocument/{method}", "params": params})
        await server.answer(method)
