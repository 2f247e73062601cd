"""What a config means, without where it stands.

Invariant: a Provider exists only for a table whose attested use is fully valid, so whoever
holds one may connect to it (given trust). Hashable: it is the key of statuses and pools.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ratls_ls.rats.policy import AppraisalPolicy

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


@dataclass(frozen=True, slots=True)
class Provider:
    """An attested model provider: network identity, policy, and how requests to it are made.

    `base_url`: https, no userinfo, query or fragment, no trailing slash. Times in milliseconds.
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
    wire_api: str = "chat"
    request_max_retries: int = 4
    stream_max_retries: int = 5
    stream_idle_timeout_ms: int = 300_000

    @property
    def host(self) -> str:
        """Host name or IP address of `base_url`, lower case, without brackets."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.base_url).port or 443

    @property
    def origin(self) -> str:
        """ "https://host:port": lower case, port always given, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"
