"""httpx over an httpcore pool with a network backend of our own, which httpx alone cannot take.

Invariant: nothing is added to a request, followed or remembered: no proxy, redirect, cookie or
.netrc. No peer holds the event loop, in whatever pieces it sends what: its heads and trailers are
small, and between any two pieces of its answer others have their turn.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx
from anyio.lowlevel import checkpoint

from ratls_ls.turns import rest

# Of all that comes until the head of an answer is whole, informational answers included.
MAX_HEADS_BYTES = 64 * 1024
# Of one head, or of the trailers: they are read in one go. As much as Node.js takes.
httpcore.AsyncHTTP11Connection.MAX_INCOMPLETE_EVENT_SIZE = 16 * 1024
# httpcore goes through all informational answers that it has before it asks for more.
_HEAD_PIECE_BYTES = 4 * 1024


@dataclass(slots=True)
class _Heads:
    """What may still come before a head is whole."""

    bytes_left: int


_heads: ContextVar[_Heads | None] = ContextVar("heads", default=None)  # None: it is


async def read(more: Callable[[int], Awaitable[bytes]], max_bytes: int) -> bytes:
    """What `more` gives of a stream for httpcore, `max_bytes` at most and less until the head is
    whole. Raises httpcore.RemoteProtocolError for a head that does not end."""
    await rest()
    heads = _heads.get()
    if heads is None:
        return await more(max_bytes)
    data = await more(min(max_bytes, _HEAD_PIECE_BYTES))
    heads.bytes_left -= len(data)
    if heads.bytes_left < 0:
        raise httpcore.RemoteProtocolError("the response head does not end")
    return data


async def load() -> None:
    """Load now what httpcore would load within the first request."""
    await checkpoint()


def client(pool: httpcore.AsyncConnectionPool) -> httpx.AsyncClient:
    """An httpx client whose every connection comes from `pool`. What takes how long is for whoever
    sends to limit."""
    return httpx.AsyncClient(
        transport=_PoolTransport(pool),
        timeout=None,  # noqa: S113 (see above)
        trust_env=False,
        follow_redirects=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
    )


class _PoolTransport(httpx.AsyncBaseTransport):
    """Exceptions of httpcore pass through; whoever sends translates them."""

    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        _heads.set(_Heads(MAX_HEADS_BYTES))
        try:
            response = await self._pool.handle_async_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        finally:
            # Not what it was: collateral is fetched while a provider's head is waited for.
            _heads.set(None)
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_ResponseStream(response),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _ResponseStream(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts: Any = self._response.aiter_stream()
        async with aclosing(parts):
            async for part in parts:
                yield part
                await rest()

    async def aclose(self) -> None:
        await self._response.aclose()
