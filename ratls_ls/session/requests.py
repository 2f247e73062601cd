"""`attestedRequest`: from its parameters to its answer.

Invariant: which provider is meant, and what is wrong with it, is decided before anything is
contacted; whatever fails afterwards becomes one typed error.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ratls_ls.atls.client import AttestedClient, AttestedResponse
from ratls_ls.atls.errors import (
    AttestationRejectedError,
    BrokenResponseError,
    RefusedRequestError,
    UnreachableError,
)
from ratls_ls.atls.request import PreparedRequest, RequestParameters, prepare
from ratls_ls.config.keys import RESERVED_IDS
from ratls_ls.config.model import Provider
from ratls_ls.config.span import PositionEncoding
from ratls_ls.lsp import answer, methods
from ratls_ls.lsp.methods import MethodError
from ratls_ls.lsp.params import AttestedRequestParams
from ratls_ls.lsp.result import Answer, Body

from .files import Files, OpenFile
from .shapes import problem_list

Emit = Callable[[dict[str, Any]], Awaitable[None]]


def find_provider(
    files: Files, params: AttestedRequestParams, encoding: PositionEncoding
) -> Provider:
    """The provider meant. Raises MethodError."""
    entry = _config_of(files, params)
    table = entry.file.providers.get(params.provider) if entry is not None else None
    if params.provider in RESERVED_IDS or entry is None or table is None or not table.attested:
        raise MethodError(
            methods.PROVIDER_NOT_ATTESTED,
            _why_not_attested(params.provider, known=table is not None),
            problem_list(entry, params.provider, encoding) if entry is not None else [],
        )
    if table.provider is None:
        raise MethodError(
            methods.INVALID_POLICY,
            f"provider {params.provider} has errors in its configuration; nothing was sent",
            problem_list(entry, params.provider, encoding),
        )
    return table.provider


def _config_of(files: Files, params: AttestedRequestParams) -> OpenFile | None:
    if params.uri is not None:
        return files.defining(params.uri, params.provider)
    default = files.default
    if default is not None and params.provider in default.file.providers:
        files.note_own([params.provider])
        return default
    others = [entry for entry in files.opened if params.provider in entry.file.providers]
    if len(others) > 1:
        raise methods.invalid_params("uri", "several open configs have this provider; say which")
    if others and not files.default_lacks(params.provider):
        why = "the user's own config.toml had this provider, has errors, or cannot be read"
        raise methods.invalid_params("uri", f"{why}; say which config is meant")
    return others[0] if others else default


def _why_not_attested(provider: str, *, known: bool) -> str:
    if provider in RESERVED_IDS:
        return f"{provider} is a reserved id: a table under it is ignored"
    if known:
        return f"provider {provider} is not attested: set use_ratls = true"
    return f"no config has a provider {provider}"


def prepared(
    provider: Provider, params: AttestedRequestParams, environment: Mapping[str, str]
) -> PreparedRequest:
    """The request as it goes out. Raises MethodError."""
    parameters = RequestParameters(
        path=params.path,
        method=params.method,
        headers=tuple(params.headers.items()),
        query=params.query,
        body=params.body,
        content_type=params.content_type,
    )
    with typed_errors(provider):
        return prepare(provider, parameters, environment)


async def send(
    client: AttestedClient,
    provider: Provider,
    request: PreparedRequest,
    params: AttestedRequestParams,
    emit: Emit,
    is_meant: Callable[[], bool],
) -> Answer:
    """The result of `attestedRequest`; parts of a streamed one go to `emit`. `is_meant`: whether
    it is still to be sent.

    Raises MethodError.
    """
    started = time.monotonic()
    with typed_errors(provider):
        async with client.send(request, params.timeout_ms / 1000, is_meant) as response:
            body: Body | None = None
            if params.partial_result_token is None:
                body = await answer.collect(response)
            else:
                await emit(answer.head(response, provider.id))
                async for part in answer.parts(response):
                    await emit(part)
        return Answer(_members(response, provider, time.monotonic() - started), body)


def _members(response: AttestedResponse, provider: Provider, seconds: float) -> dict[str, Any]:
    timings = response.timings
    return {
        "status": response.status,
        "headers": [list(header) for header in response.headers],
        "complete": True,
        "attestation": response.attestation.result.to_json(provider.id),
        "timings": {
            "connectMs": round(timings.connect_ms, 1),
            "attestMs": round(timings.attest_ms, 1),
            "firstByteMs": round(timings.first_byte_ms, 1),
            "totalMs": round(seconds * 1000, 1),
            "reusedConnection": timings.reused,
        },
    }


@contextmanager
def typed_errors(provider: Provider) -> Iterator[None]:
    """Errors of a request as the error answers that the method has for them."""
    try:
        yield
    except RefusedRequestError as error:
        raise methods.invalid_params(error.where, str(error)) from error
    except AttestationRejectedError as error:
        shape = error.result.to_json(provider.id)
        raise MethodError(methods.ATTESTATION_REJECTED, str(error), shape) from error
    except UnreachableError as error:
        where = {"step": error.step.value, "host": error.host}
        raise MethodError(methods.UNREACHABLE, str(error), where) from error
    except BrokenResponseError as error:
        received = {"received": error.received}
        raise MethodError(methods.BROKEN_RESPONSE, str(error), received) from error
