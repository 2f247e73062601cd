"""Requests past pygls: each is answered once, whatever ids a client gives."""

from __future__ import annotations

import asyncio
import os

from ratls_ls.lsp.result import Answer
from ratls_ls.lsp.tasks import Tasks
from ratls_ls.lsp.writer import Writer


async def test_of_two_with_one_id_the_later_can_be_cancelled_when_the_first_has_ended() -> None:
    reading, writing = os.pipe()
    writer, tasks, ends = Writer(writing), Tasks(), asyncio.Event()

    async def first() -> Answer:
        await ends.wait()
        return Answer({"status": 200})

    async def later() -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    tasks.start(1, first(), writer)
    tasks.start(1, later(), writer)
    ends.set()
    answer = await asyncio.to_thread(os.read, reading, 4096)
    assert b'"status": 200' in answer
    assert tasks.cancel(1)
    assert b"-32800" in await asyncio.to_thread(os.read, reading, 4096)
    assert not tasks.cancel(1)
    writer.close()
    os.close(reading)
    os.close(writing)
