"""What the custom methods take.

Invariant: parameters are checked here, whole, before anything acts on them.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .methods import invalid_params

DEFAULT_TIMEOUT_MS = 600_000
MAX_TIMEOUT_MS = 24 * 60 * 60 * 1000
_BODIES = ("body", "bodyText", "bodyBase64")


@dataclass(frozen=True, slots=True)
class AttestedRequestParams:
    """Parameters of `attestedRequest`. `content_type` follows from how the body was given."""

    provider: str
    path: str
    uri: str | None
    method: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    content_type: str | None
    timeout_ms: int
    partial_result_token: str | int | None

    @classmethod
    def parse(cls, params: object) -> AttestedRequestParams:
        """Raises MethodError (-32602)."""
        table = _Table(params)
        given = [name for name in _BODIES if name in table.values]
        if len(given) > 1:
            raise invalid_params(given[1], f"{given[0]} is given already; one body at most")
        body, content_type = _body(table)
        method = table.text("method") or ("GET" if body is None else "POST")
        token = table.values.get("partialResultToken")
        if token is not None and (isinstance(token, bool) or not isinstance(token, (str, int))):
            raise invalid_params("partialResultToken", "must be a string or an integer")
        return cls(
            provider=table.required("provider"),
            path=table.required("path"),
            uri=table.text("uri"),
            method=method,
            headers=table.strings("headers"),
            query=table.strings("query"),
            body=body,
            content_type=content_type,
            timeout_ms=table.milliseconds("timeoutMs", DEFAULT_TIMEOUT_MS),
            partial_result_token=token,
        )


@dataclass(frozen=True, slots=True)
class AttestationStatusParams:
    uri: str | None = None
    provider: str | None = None
    refresh: bool = False

    @classmethod
    def parse(cls, params: object) -> AttestationStatusParams:
        """Raises MethodError (-32602)."""
        if params is None:
            return cls()
        table = _Table(params)
        refresh = table.values.get("refresh", False)
        if not isinstance(refresh, bool):
            raise invalid_params("refresh", "must be true or false")
        return cls(table.text("uri"), table.text("provider"), refresh)


class _Table:
    def __init__(self, params: object) -> None:
        if not isinstance(params, dict):
            raise invalid_params("params", "must be an object")
        self.values: dict[str, Any] = {
            key: value for key, value in params.items() if value is not None
        }

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid_params(name, "must be a string")
        return value

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise invalid_params(name, "is required")
        return value

    def strings(self, name: str) -> dict[str, str]:
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            raise invalid_params(name, "must be an object of strings")
        for key, item in value.items():
            if not isinstance(item, str):
                raise invalid_params(f"{name}.{key}", "must be a string")
        return dict(value)

    def milliseconds(self, name: str, default: int) -> int:
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise invalid_params(name, "must be a number of milliseconds")
        if not 1 <= value <= MAX_TIMEOUT_MS:
            raise invalid_params(name, f"must be between 1 and {MAX_TIMEOUT_MS}")
        return int(value)


def _body(table: _Table) -> tuple[bytes | None, str | None]:
    if "body" in table.values:
        try:
            text = json.dumps(table.values["body"], ensure_ascii=False, allow_nan=False)
            return text.encode("utf-8"), "application/json"
        except (ValueError, RecursionError):
            raise invalid_params("body", "is no JSON value that can be sent") from None
    if (text_body := table.text("bodyText")) is not None:
        try:
            return text_body.encode("utf-8"), "text/plain; charset=utf-8"
        except UnicodeEncodeError:
            raise invalid_params("bodyText", "has unpaired surrogates") from None
    if (encoded := table.text("bodyBase64")) is not None:
        try:
            return base64.b64decode(encoded, validate=True), "application/octet-stream"
        except (binascii.Error, ValueError):
            raise invalid_params("bodyBase64", "is not base64") from None
    return None, None
