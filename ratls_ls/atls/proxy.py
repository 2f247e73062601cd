"""The HTTP proxy that the user or the system set, if any: a tunnel by CONNECT.

Invariant: handshake and attestation happen inside the tunnel, so a proxy sees a host's name and
ciphertext. No proxy comes from a config file, and loopback is never proxied.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import getproxies, proxy_bypass

import h11

from ratls_ls.config.hosts import is_loopback, refusal

from . import network
from .errors import Step, UnreachableError
from .network import CONNECT_SECONDS, TcpChannel

MAX_HEAD_BYTES = 16 * 1024
_READ_BYTES = 4 * 1024


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `credentials`: user and password for Basic authentication; what was not
    written as single bytes is UTF-8."""

    host: str
    port: int
    credentials: tuple[bytes, bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Without credentials."""
        return f"http://{authority(self.host, self.port)}"


def proxy_for(host: str) -> Proxy | None:
    """The proxy of HTTPS_PROXY, else ALL_PROXY (or the system's settings where there are such),
    unless NO_PROXY names `host`.

    Raises UnreachableError (step `tcp`) for one that cannot be used.
    """
    proxies = getproxies()
    named = proxies.get("https") or proxies.get("all")
    if not named or is_loopback(host) or proxy_bypass(host):
        return None
    unusable = UnreachableError(
        Step.TCP, host, "HTTPS_PROXY is no proxy that can be used; expected http://host:port"
    )
    try:
        parts = urlsplit(named if "://" in named else f"http://{named}")
        port = parts.port or 80
    except ValueError as error:
        raise unusable from error
    if parts.scheme != "http" or not parts.hostname:
        raise unusable
    credentials = None
    if parts.username is not None:
        credentials = (unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or ""))
    return Proxy(parts.hostname, port, credentials)


async def connect(
    host: str, port: int, on_step: Callable[[Step], None] = lambda _: None
) -> TcpChannel:
    """TCP to `host`, through the user's proxy if there is one for it. `on_step` is told of each
    step as it begins, of `tcp` with the tunnel as well.

    Raises UnreachableError with step `dns` or `tcp`.
    """
    proxy = proxy_for(host)
    if proxy is None:
        return await network.connect(host, port, on_step)
    _check_host(host)
    channel = await network.connect(proxy.host, proxy.port, on_step)
    try:
        on_step(Step.TCP)
        async with asyncio.timeout(CONNECT_SECONDS):
            await _tunnel(channel, proxy, host, port)
    except BaseException as error:
        channel.close()
        if isinstance(error, TimeoutError):
            why = f"did not answer within {CONNECT_SECONDS:.0f} s"
        elif isinstance(error, h11.RemoteProtocolError):
            why = "does not speak HTTP/1.1"
        elif isinstance(error, OSError):
            why = "cut the connection"
        else:
            raise
        raise UnreachableError(Step.TCP, host, f"proxy {proxy.host} {why}") from error
    return channel


def authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _tunnel(channel: TcpChannel, proxy: Proxy, host: str, port: int) -> None:
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    target = authority(host, port)
    headers = [("Host", target)]
    if proxy.credentials is not None:
        token = base64.b64encode(b":".join(proxy.credentials)).decode("ascii")
        headers.append(("Proxy-Authorization", f"Basic {token}"))
    request = h11.Request(method="CONNECT", target=target, headers=headers)
    await channel.send((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
    while (event := http.next_event()) is h11.NEED_DATA:
        http.receive_data(await channel.receive(_READ_BYTES))
    if not isinstance(event, h11.Response) or not 200 <= event.status_code < 300:
        status = getattr(event, "status_code", "none")
        raise UnreachableError(
            Step.TCP,
            host,
            f"proxy {proxy.host} gives no tunnel to {host} (HTTP status {status}); "
            "check HTTPS_PROXY and NO_PROXY",
        )
    # A server speaks second in TLS: what waits here is the proxy's own.
    if http.trailing_data[0]:
        raise ConnectionResetError("bytes before the handshake")


def _check_host(host: str) -> None:
    """A proxy must not be made to contact what is never contacted."""
    if (why := refusal(host)) is not None:
        raise UnreachableError(Step.DNS, host, f"{host} is {why}; it is never contacted")
