"""`ratls-ls request PROVIDER PATH`: one attested request, streamed to stdout."""

from __future__ import annotations

import argparse
import asyncio
import codecs
import os
import sys
from collections.abc import Callable
from pathlib import Path

from ratls_ls import bounded
from ratls_ls.atls.client import AttestedClient
from ratls_ls.atls.errors import (
    AttestationRejectedError,
    BrokenResponseError,
    RefusedRequestError,
    UnreachableError,
)
from ratls_ls.atls.request import RequestParameters, prepare
from ratls_ls.config.words import printable

from .common import find_provider, read_stdin, verifier
from .exits import EXIT_NO, EXIT_YES, CommandError, complain

TIMEOUT_SECONDS = 600.0


def request(options: argparse.Namespace) -> int:
    """Exit 0 for a 2xx answer, 1 for another or a refused server."""
    return asyncio.run(_request(options))


async def _request(options: argparse.Namespace) -> int:
    provider = find_provider(options, options.provider)
    body = _body(options.data)
    parameters = RequestParameters(
        path=options.path,
        method=options.method or ("GET" if body is None else "POST"),
        headers=[_header(header) for header in options.header],
        body=body,
        content_type=None if body is None else "application/json",
    )
    client = AttestedClient(provider, verifier(options))
    try:
        prepared = prepare(provider, parameters, os.environ)
        async with client.send(prepared, TIMEOUT_SECONDS) as response:
            if response.attestation.result.simulated:
                complain("SIMULATED: rests on a root that is not Intel's")
            write = _writer()
            async for chunk in response.chunks():
                write(chunk)
            if 200 <= response.status < 300:
                return EXIT_YES
            complain(f"HTTP status {response.status}")
            return EXIT_NO
    except RefusedRequestError as error:
        raise CommandError(f"{error.where} {error}") from error
    except AttestationRejectedError as error:
        complain(f"{error}; nothing was sent")
        return EXIT_NO
    except (UnreachableError, BrokenResponseError) as error:
        raise CommandError(str(error)) from error
    finally:
        await client.aclose()


def _writer() -> Callable[[bytes], None]:
    """Writes an answer to stdout: byte by byte into a pipe, as text that a terminal obeys in
    nothing to one."""
    if not sys.stdout.isatty():
        return _write
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return lambda chunk: _write(printable(decoder.decode(chunk)).encode())


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise CommandError('--header takes "Name: value"')
    return name.strip(), value.strip()


def _body(data: str | None) -> bytes | None:
    if data is None:
        return None
    if data == "@-":
        return read_stdin()
    if data.startswith("@"):
        try:
            return bounded.read(Path(data[1:]))
        except OSError as error:
            raise CommandError(f"cannot read {data[1:]}: {error.strerror}") from error
    return os.fsencode(data)
