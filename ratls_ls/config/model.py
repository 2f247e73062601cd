"""What a config means, without where it stands.

Invariant: a Provider exists only for a table whose attested use is fully valid, so whoever
holds one may connect to it (given trust). Statuses and connections are kept by its Peer.
"""

from __future__ import annotations

from typing import NamedTuple

from ratls_ls.cached import cached_property
from ratls_ls.rats.policy import AppraisalPolicy

from .record import record
from .urls import Url, parse_url

DEFAULT_PCCS_URL = "https://pccs.phala.network/tdx/certification/v4"


class Secret:
    """A value that must not be shown: no repr, str or format of it reveals anything."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))


class Peer(NamedTuple):
    """The other end of a connection and what it must satisfy: what the status and the connections
    of a provider are kept by. All else about a provider may change without either.

    `host`: name or IP address, lower case, without brackets.
    """

    host: str
    port: int
    pccs_url: str
    policy: AppraisalPolicy

    @property
    def origin(self) -> str:
        """ "https://host:port": lower case, port always given, IPv6 in brackets."""
        return origin_of(self.host, self.port)


def origin_of(host: str, port: int) -> str:
    """As `Peer.origin`."""
    return f"https://{f'[{host}]' if ':' in host else host}:{port}"


@record(eq=True)
class Provider:
    """An attested model provider: network identity, policy, and how requests to it are made.

    `base_url`: https, no userinfo, query or fragment, no trailing slash; scheme and host in lower
    case, as `pccs_url` has them. Times in milliseconds.
    String maps are tuples of pairs in file order.
    """

    id: str
    base_url: str
    policy: AppraisalPolicy
    pccs_url: str = DEFAULT_PCCS_URL
    name: str | None = None
    env_key: str | None = None
    bearer_token: Secret | None = None
    http_headers: tuple[tuple[str, Secret], ...] = ()
    env_http_headers: tuple[tuple[str, str], ...] = ()
    query_params: tuple[tuple[str, Secret], ...] = ()
    request_max_retries: int = 4
    stream_idle_timeout_ms: int = 300_000

    @cached_property
    def peer(self) -> Peer:
        url = parse_url(self.base_url)
        host, port = (url.host, url.port) if isinstance(url, Url) else ("", None)
        return Peer(host, port or 443, self.pccs_url, self.policy)

    @property
    def host(self) -> str:
        """Host name or IP address of `base_url`, lower case, without brackets."""
        return self.peer.host

    @property
    def port(self) -> int:
        return self.peer.port

    @property
    def origin(self) -> str:
        """As `Peer.origin`."""
        return self.peer.origin
