"""httpx over an httpcore pool with a network backend of our own, which httpx alone cannot take.

Invariant: nothing is added to a request, followed or remembered: no proxy, redirect, cookie or
.netrc.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx
from anyio.lowlevel import checkpoint


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

    async def aclose(self) -> None:
        await self._response.aclose()
