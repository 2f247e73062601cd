"""The language server on stdin/stdout, a socket or a pipe.

Invariant: stdout carries protocol only, and the log goes to stderr, without any message body; a
stderr that nobody reads holds up nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import queue
import resource
import socket
import sys
import threading
from contextlib import suppress
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from .exits import EXIT_NO, CommandError
from .listening import first_client

if TYPE_CHECKING:
    from ratls_ls.server import Server

_MAX_WAITING_RECORDS = 1000
_LAST_WORDS_SECONDS = 1.0


def serve(options: argparse.Namespace) -> NoReturn:
    """Run until the client says exit or is gone, then end the process."""
    # A dump of the memory would hold prompts and keys.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reader, writer = _streams(options)
    log = _log_to_stderr()
    # pygls logs message bodies, which hold prompts; nothing of it is worth that.
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)
    logging.getLogger("cattrs").setLevel(logging.CRITICAL + 1)
    # Hundreds of generated classes load next: collecting while they do only costs time.
    gc.disable()
    from ratls_ls.server import Options, create

    server = create(
        Options(
            ca_files=tuple(options.ca_file or ()),
            unsafe_root_ca=tuple(options.unsafe_root_ca or ()),
            only_stricter_settings=options.only_stricter_settings,
        )
    )
    gc.freeze()
    gc.enable()
    code = EXIT_NO  # the client is gone without `exit`
    try:
        asyncio.run(_run(server, reader, writer))
    except SystemExit as exit_request:
        code = exit_request.code if isinstance(exit_request.code, int) else EXIT_NO
    _finish(log)
    # At once: no thread that is still at work may hold this up, or send anything more.
    os._exit(code)


def _log_to_stderr() -> QueueListener:
    """The log is written by a thread; what is more than it can hold is dropped."""
    logging.raiseExceptions = False
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(_MAX_WAITING_RECORDS)
    logging.basicConfig(
        handlers=[QueueHandler(waiting)], level=logging.WARNING, format="ratls-ls: %(message)s"
    )
    listener = QueueListener(waiting, logging.StreamHandler(sys.stderr))
    listener.start()
    return listener


def _finish(log: QueueListener) -> None:
    """Write what is still to be logged, unless nobody reads it."""

    def stop() -> None:
        with suppress(queue.Full):
            log.stop()

    stopping = threading.Thread(target=stop, daemon=True)
    stopping.start()
    stopping.join(timeout=_LAST_WORDS_SECONDS)


async def _run(server: Server, reader: int, descriptor: int) -> None:
    from ratls_ls.lsp import wire
    from ratls_ls.lsp.writer import Writer

    writer = Writer(descriptor)
    try:
        await wire.serve(reader, writer, server.protocol)
    finally:
        writer.close()


def _streams(options: argparse.Namespace) -> tuple[int, int]:
    """Descriptors to read from and to write to."""
    if options.stdio:
        reader, writer = sys.stdin.fileno(), sys.stdout.fileno()
        # A stray print must not break the framing.
        sys.stdout = sys.stderr
        return reader, writer
    try:
        connection = _connection(options)
    except OSError as error:
        raise CommandError(f"cannot serve: {error.strerror or error}") from error
    descriptor = connection.detach()
    return descriptor, descriptor


def _connection(options: argparse.Namespace) -> socket.socket:
    if options.socket is not None:
        return socket.create_connection(("127.0.0.1", options.socket))
    if options.pipe is not None:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(Path(options.pipe)))
        return connection
    family = socket.AF_INET6 if ":" in options.tcp[0] else socket.AF_INET
    with socket.create_server(options.tcp, family=family) as listener:
        print(f"listening on port {listener.getsockname()[1]}", file=sys.stderr, flush=True)
        return first_client(listener)
