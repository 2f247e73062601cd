"""What happens in the demo, act by act, as events.

Invariant: every number and every word of a verdict comes from the server or from the simulated
provider's record of what it received.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

from pygls.exceptions import JsonRpcException

from ratls_ls.lsp.methods import ATTESTATION_REJECTED
from ratls_ls.simulator import FAULTS, OpenAi, SimulatedProvider, serve

from .editor import Editor, editor

Event = dict[str, Any]
FAULT = "relay"
PROMPT = "Draft our offer for Acme: 4.2 million, confidential until Monday."
API_KEY_VARIABLE, API_KEY = "TEE_API_KEY", "sk-demo"

_CONFIG = """\
model_provider = "tee"

[model_providers.tee]
name = "A provider in a TEE"
base_url = "{base_url}"
wire_api = "responses"
env_key = "{env_key}"
use_ratls = true

[model_providers.tee.ratls_policy]
tee_type = "Tdx"
pccs_url = "{pccs_url}"
"""
_FAULTY = """\
allowed_tdx_status = ["UpToDate", "UpToDateWithWarnings", "Revoked"]
min_tdx_tbc = {{ mrseam = "{mrseam}" }}
expected_bootchain = {{ mrtd = "{mrtd:.8}" }}
"""
_FIXED = """\
allowed_tdx_status = ["UpToDate"]
min_tdx_tcb = {{ mrseam = "{mrseam}" }}
expected_bootchain = {{ mrtd = "{mrtd}", rtmr1 = "{rtmr1}", rtmr2 = "{rtmr2}" }}
"""


async def story(home: Path, token_seconds: float) -> AsyncGenerator[Event, None]:
    """The events, as they happen. `token_seconds`: how long the model thinks about each token."""
    api = OpenAi(token_seconds=token_seconds, api_key=API_KEY)
    async with serve(api=api) as provider:
        files = provider.write_files(home)
        config = home / ".codex" / "config.toml"
        yield {"event": "provider", "baseUrl": provider.base_url, "pccsUrl": provider.pccs_url}
        async with editor(
            home,
            config,
            arguments=["--ca-file", files.ca_file, "--unsafe-root-ca", files.root_file],
            environment={API_KEY_VARIABLE: API_KEY},
        ) as ls:
            async for event in _faulty_policy(ls, provider, config):
                yield event
            async for event in _fixed_policy(ls, provider, config):
                yield event
            async for event in _prompt(ls, provider):
                yield event
            async for event in _attack(ls, provider):
                yield event
    yield {"event": "end"}


async def _faulty_policy(
    ls: Editor, provider: SimulatedProvider, config: Path
) -> AsyncIterator[Event]:
    text = _config(provider, _FAULTY)
    _write(config, text)
    ls.open(text)
    yield {"event": "opened", "file": config.name, "text": text}
    for problem in await ls.problems():
        yield {"event": "problem", **problem}


async def _fixed_policy(
    ls: Editor, provider: SimulatedProvider, config: Path
) -> AsyncIterator[Event]:
    text = _config(provider, _FIXED)
    ls.change(text)
    _write(config, text)
    ls.save()
    yield {"event": "saved", "file": config.name, "text": text}
    shown = await ls.diagnostic("attestation-affirmed")
    status = await ls.status("affirmed")
    yield {"event": "status", **status, "message": shown["message"]}


async def _prompt(ls: Editor, provider: SimulatedProvider) -> AsyncIterator[Event]:
    yield {"event": "prompt", "text": PROMPT}
    async for part in ls.stream(_request()):
        match part:
            case {"kind": "event", "event": "response.output_text.delta", "data": data}:
                yield {"event": "token", "text": json.loads(data)["delta"]}
            case {"complete": True, "status": status, "timings": timings}:
                yield {"event": "answered", "status": status, "timings": timings}
    yield _received(provider, 0)


async def _attack(ls: Editor, provider: SimulatedProvider) -> AsyncIterator[Event]:
    earlier = len(provider.record.connections)
    provider.set_faults([FAULT])
    await provider.close_connections()
    yield {"event": "attack", "fault": FAULT, "title": FAULTS[FAULT].title}
    yield {"event": "prompt", "text": PROMPT}
    try:
        async for part in ls.stream(_request()):
            if part.get("kind") == "head":
                yield {"event": "answered", "status": part["status"]}
    except JsonRpcException as error:
        if error.code != ATTESTATION_REJECTED:
            raise
        shown = await ls.diagnostic("attestation-rejected")
        yield {
            "event": "refused",
            "code": error.code,
            "message": error.message,
            "result": error.data,
            "shown": shown["message"],
        }
    yield _received(provider, earlier)


def _received(provider: SimulatedProvider, first: int) -> Event:
    """What the provider received on its connections from number `first` on."""
    connections = provider.record.connections[first:]
    return {
        "event": "received",
        "connections": len(connections),
        "quoteRequests": sum(
            request.is_quote for connection in connections for request in connection.requests
        ),
        "apiBytes": sum(connection.api_bytes for connection in connections),
        "promptBytes": sum(connection.prompt_bytes for connection in connections),
    }


def _write(config: Path, text: str) -> None:
    config.parent.mkdir(exist_ok=True)
    config.write_text(text, "utf-8")


def _request() -> dict[str, Any]:
    body = {"model": "simulated-llm", "input": PROMPT, "stream": True}
    return {"provider": "tee", "path": "/responses", "body": body}


def _config(provider: SimulatedProvider, policy: str) -> str:
    return (_CONFIG + policy).format(
        base_url=provider.base_url,
        pccs_url=provider.pccs_url,
        env_key=API_KEY_VARIABLE,
        **provider.measurements,
    )
