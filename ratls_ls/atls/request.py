"""What one request to a provider looks like on the wire. Pure but for the environment given in.

Invariant: a request stays under the provider's base_url, and a caller can neither frame it anew
nor replace the provider's credentials.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ratls_ls import __version__
from ratls_ls.config.model import Provider
from ratls_ls.config.secrets import variable_shown

from .errors import RefusedRequestError

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PATH_SAFE = "/%:@!$&'()*+,;=~"
# Framing and hop-by-hop fields are the connection's (RFC 9110 section 7.6.1).
_FRAMING = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "proxy-authorization",
        "proxy-connection",
    }
)
_CALLER_FORBIDDEN = _FRAMING | {"authorization"}


@dataclass(frozen=True, slots=True)
class RequestParameters:
    """One request as the caller wants it. `path` is relative to base_url; `body` raw bytes."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """Ready to send; holds credentials, so no part of it is shown. `retries`: how often at most
    after the first time. `idle_seconds`: how long nothing may come or be taken."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    retries: int = 0
    idle_seconds: float = 300.0


def prepare(
    provider: Provider, parameters: RequestParameters, environment: Mapping[str, str]
) -> PreparedRequest:
    """Apply the provider's URL, headers, query and credentials as Codex does.

    Raises RefusedRequestError.
    """
    if not _TOKEN.fullmatch(parameters.method):
        raise RefusedRequestError("method", "is no HTTP method")
    method = parameters.method.upper()
    if method == "CONNECT":
        raise RefusedRequestError("method", "CONNECT is not a request to the provider")
    headers: dict[str, tuple[str, str]] = {}
    for where, name, value in _headers(provider, parameters, environment):
        _check_header(where, name, value)
        headers[name.lower()] = (name, value)
    return PreparedRequest(
        method=method,
        url=_url(provider, parameters),
        headers=tuple(headers.values()),
        body=parameters.body or b"",
        retries=provider.request_max_retries,
        idle_seconds=provider.stream_idle_timeout_ms / 1000,
    )


def _headers(
    provider: Provider, parameters: RequestParameters, environment: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """(where it comes from, name, value); a later one replaces an earlier one of that name."""
    yield "", "User-Agent", f"ratls-ls/{__version__}"
    yield "", "Accept", "*/*"
    if parameters.content_type is not None:
        yield "", "Content-Type", parameters.content_type
    table = f"model_providers.{provider.id}"
    for name, secret in provider.http_headers:
        yield f"{table}.http_headers", name, secret.reveal()
    for name, variable in provider.env_http_headers:
        if value := environment.get(variable, "").strip():
            yield f"{table}.env_http_headers", name, value
    for name, value in parameters.headers.items():
        if name.lower() in _CALLER_FORBIDDEN:
            raise RefusedRequestError(f"headers.{name}", "is not the caller's to set")
        yield f"headers.{name}", name, value
    if (key := _key(provider, environment)) is not None:
        yield f"{table}.env_key", "Authorization", f"Bearer {key}"
    # Asked for last: what is decoded nowhere cannot be a decompression bomb.
    yield "", "Accept-Encoding", "identity"


def _key(provider: Provider, environment: Mapping[str, str]) -> str | None:
    if provider.env_key is not None:
        if key := environment.get(provider.env_key, "").strip():
            return key
        raise RefusedRequestError(
            f"model_providers.{provider.id}.env_key",
            f"{variable_shown(provider.env_key, 'env_key')} is not set;"
            " set it and restart the server",
        )
    return provider.bearer_token.reveal() if provider.bearer_token is not None else None


def _check_header(where: str, name: str, value: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise RefusedRequestError(where, "is no header name")
    if name.lower() in _FRAMING:
        raise RefusedRequestError(where, f"{name} is not yours to set")
    if _CONTROL.search(value) or not value.isascii():
        raise RefusedRequestError(where, "has control or non-ASCII characters in its value")


def _url(provider: Provider, parameters: RequestParameters) -> str:
    path, _, own_query = parameters.path.partition("?")
    _check_path(path)
    if _CONTROL.search(own_query) or "#" in own_query:
        raise RefusedRequestError("path", "has control characters or a fragment")
    pairs = [(name, secret.reveal()) for name, secret in provider.query_params]
    pairs += urllib.parse.parse_qsl(own_query, keep_blank_values=True)
    pairs += list(parameters.query.items())
    query = f"?{urllib.parse.urlencode(pairs)}" if pairs else ""
    return f"{provider.base_url.rstrip('/')}{urllib.parse.quote(path, safe=_PATH_SAFE)}{query}"


def _check_path(path: str) -> None:
    decoded = urllib.parse.unquote(path)
    if not path.startswith("/") or path.startswith("//"):
        raise RefusedRequestError("path", 'must start with one "/", relative to base_url')
    if _CONTROL.search(path) or _CONTROL.search(decoded):
        raise RefusedRequestError("path", "has control characters")
    if "\\" in decoded or "#" in path:
        raise RefusedRequestError("path", "has a backslash or a fragment")
    if any(segment in (".", "..") for segment in decoded.split("/")):
        raise RefusedRequestError("path", 'has a "." or ".." segment')
