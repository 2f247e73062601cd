"""Messages to a client that reads when it likes."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from ratls_ls.lsp.writer import MAX_JOINED_BYTES, Writer
from tests.e2e.editor import PATIENCE_SECONDS


async def test_long_and_short_messages_come_in_order() -> None:
    reading, writing = os.pipe()
    writer = Writer(writing)
    words = [b'"%d' % index + b"x" * (MAX_JOINED_BYTES // 4) for index in range(20)]
    for index, word in enumerate(words):
        writer.stream(method="before", params=index)
        writer.send_json([b'{"jsonrpc":"2.0","params":', word, bytearray(b'"'), b"}"])
        writer.send(method="after", params=index)
    # All of that waited for nobody.
    ended = asyncio.to_thread(messages, reading, 60)
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await ended
    writer.close()
    os.close(reading)
    os.close(writing)
    assert [each["params"] for each in found] == [
        value for index, word in enumerate(words) for value in (index, word[1:].decode(), index)
    ]


def messages(descriptor: int, count: int) -> list[Any]:
    found = []
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        for _ in range(count):
            length = int(stream.readline().removeprefix(b"Content-Length: "))
            assert stream.readline() == b"\r\n"
            found.append(json.loads(stream.read(length)))
    return found
