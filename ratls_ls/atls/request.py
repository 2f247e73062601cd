"""What one request to a provider looks like on the wire. Pure but for the environment given in.

Invariant: a request stays under the provider's base_url, and a caller can neither frame it anew
nor replace the provider's credentials.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ratls_ls import __version__
from ratls_ls.config.headers import FRAMING, HEADER_NAME
from ratls_ls.config.model import Provider
from ratls_ls.config.secrets import variable_shown

from .errors import RefusedRequestError

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PATH_SAFE = "/%:@!$&'()*+,;=~"
_Header = tuple[str, str, str]
"""Where it comes from, name, value."""
_CALLER_FORBIDDEN = FRAMING | {"authorization"}


@dataclass(frozen=True, slots=True)
class RequestParameters:
    """One request as the caller wants it. `path` is relative to base_url; `headers`: names and
    values, a name as often as it is to be sent; `body`: raw bytes."""

    path: str
    method: str = "GET"
    headers: Sequence[tuple[str, str]] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """Ready to send; holds credentials, so no part of it is shown. `retries`: how often at most
    after the first time. `idle_seconds`: how long nothing may come or be taken. Two that differ in
    these limits alone are the same request."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    retries: int = field(default=0, compare=False)
    idle_seconds: float = field(default=300.0, compare=False)


def prepare(
    provider: Provider, parameters: RequestParameters, environment: Mapping[str, str]
) -> PreparedRequest:
    """Apply the provider's URL, headers, query and credentials as Codex does.

    Raises RefusedRequestError.
    """
    if not HEADER_NAME.fullmatch(parameters.method):
        raise RefusedRequestError("method", "is no HTTP method")
    method = parameters.method.upper()
    if method == "CONNECT":
        raise RefusedRequestError("method", "CONNECT is not a request to the provider")
    given = _checked(_of_caller(provider, parameters))
    last = dict(_by_name(_checked(_always(provider, environment))))
    replaced = {name.lower() for name, _ in given} | last.keys()
    first = dict(_by_name(_checked(_of_config(provider, parameters, environment))))
    headers = [header for name, header in first.items() if name not in replaced]
    headers += [header for header in given if header[0].lower() not in last]
    return PreparedRequest(
        method=method,
        url=_url(provider, parameters),
        headers=(*headers, *last.values()),
        body=parameters.body or b"",
        retries=provider.request_max_retries,
        idle_seconds=provider.stream_idle_timeout_ms / 1000,
    )


def _of_config(
    provider: Provider, parameters: RequestParameters, environment: Mapping[str, str]
) -> Iterator[_Header]:
    """A later one replaces an earlier one of that name."""
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


def _of_caller(provider: Provider, parameters: RequestParameters) -> Iterator[_Header]:
    """A name may stand there several times."""
    own = {name.lower() for name, _ in (*provider.http_headers, *provider.env_http_headers)}
    for name, value in parameters.headers:
        where = f"headers.{name}"
        if name.lower() in _CALLER_FORBIDDEN:
            raise RefusedRequestError(where, "is not the caller's to set")
        # Also where its variable is not set now: it may be a credential.
        if name.lower() in own:
            raise RefusedRequestError(where, "is set by the provider's configuration")
        yield where, name, value


def _always(provider: Provider, environment: Mapping[str, str]) -> Iterator[_Header]:
    if (key := _key(provider, environment)) is not None:
        yield f"model_providers.{provider.id}.env_key", "Authorization", f"Bearer {key}"
    # What is decoded nowhere cannot be a decompression bomb.
    yield "", "Accept-Encoding", "identity"


def _by_name(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, tuple[str, str]]]:
    for header in headers:
        yield header[0].lower(), header


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


def _checked(headers: Iterable[_Header]) -> list[tuple[str, str]]:
    """Their names and values. Raises RefusedRequestError."""
    checked = []
    for where, name, value in headers:
        if not HEADER_NAME.fullmatch(name):
            raise RefusedRequestError(where, "is no header name")
        if name.lower() in FRAMING:
            raise RefusedRequestError(where, f"{name} is not yours to set")
        if _CONTROL.search(value) or not value.isascii():
            raise RefusedRequestError(where, "has control or non-ASCII characters in its value")
        checked.append((name, value))
    return checked


def _url(provider: Provider, parameters: RequestParameters) -> str:
    path, _, own_query = parameters.path.partition("?")
    _check_path(path)
    if _CONTROL.search(own_query) or "#" in own_query:
        raise RefusedRequestError("path", "has control characters or a fragment")
    pairs = [(name, secret.reveal()) for name, secret in provider.query_params]
    pairs += urllib.parse.parse_qsl(own_query, keep_blank_values=True)
    pairs += list(parameters.query.items())
    try:
        query = f"?{urllib.parse.urlencode(pairs)}" if pairs else ""
    except UnicodeEncodeError:
        raise RefusedRequestError("query", "has unpaired surrogates") from None
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
