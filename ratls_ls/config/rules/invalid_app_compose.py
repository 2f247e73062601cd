"""`invalid-app-compose`: a text that no server runs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="invalid-app-compose",
    severity=Severity.ERROR,
    words="""
    `app_compose` is the raw text of dstack's `app-compose.json`, byte by byte: its SHA-256 is what
    the server tells. A file name, a docker-compose file or an empty text is the hash of no
    application, so no server can pass. To pin by the hash, use `compose_hash`.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy.app_compose = "docker-compose.yml"
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    policy, text = provider.policy, provider.string("ratls_policy", "app_compose")
    if policy is None or text is None or _is_object(text):
        return
    span = policy.entries["app_compose"].value.span
    message = (
        "Not the text of an app-compose.json, which is a JSON object: no server can pass. Put in"
        " the file's raw text, or pin its SHA-256 with `compose_hash`"
    )
    yield RULE.problem(span, message, provider=provider.id)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
