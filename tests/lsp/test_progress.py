"""The progress of checks, with a client that answers when it is told to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.progress import Progress

from ratls_ls.server import progress as progress_module
from ratls_ls.server.progress import CheckProgress


class Client:
    """`created` resolves what it is asked for; `told` is what it was shown."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.created: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.told: list[Any] = []
        self.heard = asyncio.Event()

    async def send_request_async(self, _method: str, _params: object) -> None:
        self.asked.set()
        await self.created

    def notify(self, _method: str, params: types.ProgressParams) -> None:
        self.told.append(params.value)
        self.heard.set()


def status(state: str) -> dict[str, str]:
    return {"uri": "file:///c.toml", "provider": "tee", "state": state}


@pytest.mark.parametrize("ends", ["before", "after", "refused"])
async def test_a_check_that_ended_leaves_no_token_behind(
    monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """Whether it ended before the client answered or after, and if the client refused."""
    monkeypatch.setattr(progress_module, "QUIET_SECONDS", 0)
    client = Client()
    shown = Progress(client)  # type: ignore[arg-type]  # as much of one as it takes
    checks = CheckProgress(shown, lambda: None)
    checks.update(status("checking"))
    await client.asked.wait()
    (showing,) = (task for task in asyncio.all_tasks() if task is not asyncio.current_task())
    if ends == "refused":
        client.created.set_exception(JsonRpcException("no"))
    else:
        if ends == "before":
            checks.update(status("affirmed"))
        client.created.set_result(None)
        if ends == "after":
            await client.heard.wait()
        checks.update(status("affirmed"))
    await showing
    assert shown.tokens == {}
    assert len(client.told) == (2 if ends == "after" else 0)
