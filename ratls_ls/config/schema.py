"""JSON Schema of the config, for editors that run tombi or taplo.

Invariant: generated from `keys` alone, so it can say no more and no less than the rules know.
It says what a schema can, in keywords that both servers know; the rules say the rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ratls_ls.rats.policy import TcbStatus
from ratls_ls.rats.statuses import MEANINGS

from .keys import (
    BEDROCK_IDS,
    BEDROCK_KEYS,
    PCCS_URLS,
    PROVIDER,
    PROVIDERS,
    REFERENCES,
    RESERVED_IDS,
    KeyModel,
    Kind,
)
from .words import sentence

Schema = dict[str, Any]

# tombi takes an object schema that does not say so for closed.
_OPEN: Schema = {"type": "object", "additionalProperties": True}

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_HTTPS = "^https://[^/@?#\\\\\\s]+[^@?#\\\\\\s]*$"
_HTTPS_OR_LOCAL = "^(https://[^/@?#\\\\\\s]+|http://(localhost|127(\\.[0-9]+){3}|\\[::1\\])(:[0-9]+)?)[^@?#\\\\\\s]*$"


def schema() -> Schema:
    """The schema of a whole config. Codex has many more tables; they are left to its own schema."""
    references: Schema = {
        model.name: {"type": "string", "description": _description(model)} for model in REFERENCES
    }
    provider = _provider()
    return {
        "$schema": _DIALECT,
        "title": "Codex config with attested model providers",
        **_OPEN,
        "properties": {
            **references,
            "profiles": {
                "type": "object",
                "additionalProperties": {**_OPEN, "properties": references},
            },
            PROVIDERS: {
                "type": "object",
                "description": "Model providers by id.",
                # Not by `propertyNames`: taplo marks every table of the file then.
                "properties": {
                    **dict.fromkeys(RESERVED_IDS, False),
                    **dict.fromkeys(BEDROCK_IDS, _bedrock()),
                },
                "additionalProperties": provider,
            },
        },
    }


def _provider() -> Schema:
    """A policy needs `use_ratls`, and an attested provider an https address."""
    return {
        **_table(PROVIDER),
        "required": ["name"],
        "allOf": [
            {"if": _having("ratls_policy", {}), "then": _having("use_ratls", {"const": True})},
            {
                "if": _having("use_ratls", {"const": True}),
                "then": _having("base_url", {"type": "string", "pattern": _HTTPS}),
            },
        ],
    }


def _bedrock() -> Schema:
    keys = tuple(child for child in PROVIDER.children if child.name in BEDROCK_KEYS)
    return _table(replace(PROVIDER, summary="Built into upstream Codex.", children=keys))


def _having(key: str, value: Schema) -> Schema:
    return {**_OPEN, "properties": {key: value}, "required": [key]}


def _table(model: KeyModel) -> Schema:
    return {
        "type": "object",
        "description": _description(model),
        "properties": {child.name: _key(child) for child in model.children},
        "additionalProperties": False,
    }


def _key(model: KeyModel) -> Schema:
    if model.children:
        return _table(model)
    described: Schema = {"description": _description(model)}
    match model.kind:
        case Kind.STRING:
            described["type"] = "string"
            if model.values:
                described["enum"] = list(model.values)
        case Kind.URL:
            described["type"] = "string"
            if model.name == "pccs_url":
                described |= {"pattern": _HTTPS_OR_LOCAL, "examples": list(PCCS_URLS)}
        case Kind.HEX:
            described |= {
                "type": "string",
                "pattern": f"^(0x)?([0-9a-fA-F]{{2}}){{{model.size}}}$",
            }
        case Kind.BOOLEAN:
            described["type"] = "boolean"
        case Kind.INTEGER:
            described |= {"type": "integer", "minimum": model.minimum or 0}
        case Kind.STRING_LIST:
            described |= {"type": "array", "minItems": 1, "items": _status()}
        case Kind.STRING_MAP:
            described |= {"type": "object", "additionalProperties": {"type": "string"}}
        case Kind.TABLE:
            described |= _OPEN
    return described


def _status() -> Schema:
    allowed = [status for status in TcbStatus if status is not TcbStatus.REVOKED]
    meanings = "\n".join(
        f"- `{status.value}`: {sentence(MEANINGS[status].meaning)}" for status in allowed
    )
    return {
        "type": "string",
        "enum": [status.value for status in allowed],
        "description": f"A TCB status of Intel's.\n\n{meanings}",
    }


def _description(model: KeyModel) -> str:
    default = f"{model.default_told}." if model.default_told else ""
    parts = [model.summary, model.codex, default]
    return "\n\n".join(part for part in parts if part)
