"""What goes to the client.

Invariant: writing never blocks the event loop, and a client that does not read is waited for. While
the client takes it, the loop itself writes: a thread in between would cost a tenth of a millisecond
per keystroke.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import select
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

MAX_QUEUED_BYTES = 1024 * 1024
MAX_TURN_BYTES = 16 * 1024
MAX_JOINED_BYTES = 256 * 1024
_PIECES_AT_ONCE = 16  # of four kilobytes mostly; the thread writes what is longer

Piece: TypeAlias = bytes | bytearray

compact = json.JSONEncoder(separators=(",", ":")).encode
"""A plain JSON value as text that is no longer than it must be: clients read it faster."""


class Writer:
    """pygls's writer: never blocks. What the client's pipe has room for is written at once, the
    rest by a thread. What is streamed in one turn of the event loop goes out as one; `drained`
    gives back-pressure."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
        self._turn: list[Piece] = []
        self._turn_bytes = 0
        self._queued = 0
        self._room = asyncio.Event()
        self._room.set()
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="lsp-writer", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._add((data,))
        self._end_turn()

    def send(self, **message: Any) -> None:
        """Write a message of plain JSON values."""
        self.write(_framed(message))

    def send_json(self, pieces: Sequence[Piece]) -> None:
        """Write a message that is JSON already, however long: nothing makes one of its pieces."""
        self._add((_head(sum(map(len, pieces))), *pieces))
        self._end_turn()

    def stream(self, **message: Any) -> None:
        """Write one of many such messages, together with others of this turn."""
        if not self._turn:
            self._loop.call_soon(self._end_turn)
        self._add((_framed(message),))

    async def drained(self) -> None:
        """Returns when the client has taken most of what was written. A turn that said much ends
        here, so that a fast stream leaves others theirs."""
        if self._turn_bytes > MAX_TURN_BYTES:
            await asyncio.sleep(0)
        await self._room.wait()

    def close(self) -> None:
        """Write what is queued, then stop; waits a moment for a client that does not read."""
        self._end_turn()
        self._queue.put(None)
        self._thread.join(timeout=2.0)

    def _add(self, pieces: Sequence[Piece]) -> None:
        if self._broken:
            raise BrokenPipeError("the client is gone")
        self._turn += pieces
        self._turn_bytes += sum(map(len, pieces))

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, []
        long = self._turn_bytes > MAX_JOINED_BYTES
        self._turn_bytes = 0
        if long:
            for piece in turn:
                self._enqueue(memoryview(piece))
            return
        left = memoryview(b"".join(turn))
        if not self._queued:
            try:
                left = self._write_what_fits(left)
            except OSError:
                self._lost()
                return
        if left:
            self._enqueue(left)

    def _enqueue(self, data: memoryview) -> None:
        self._queued += len(data)
        if self._queued > MAX_QUEUED_BYTES:
            self._room.clear()
        self._queue.put(data)

    def _write_what_fits(self, data: memoryview) -> memoryview:
        """Gives what is left. So much never blocks where the system says that there is room."""
        for _ in range(_PIECES_AT_ONCE):
            if not data or not self._poll.poll(0):
                break
            data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]
        return data

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            size = len(data)
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                self._call(self._lost)
                return
            self._call(self._written, size)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    def _written(self, size: int) -> None:
        self._queued -= size
        if self._queued <= MAX_QUEUED_BYTES // 2:
            self._room.set()

    def _lost(self) -> None:
        self._broken = True
        self._room.set()


def _framed(message: dict[str, Any]) -> bytes:
    body = compact({"jsonrpc": "2.0", **message}).encode()
    return _head(len(body)) + body


def _head(length: int) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % length
