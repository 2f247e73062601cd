"""`extension-key`: a key that only ratls-ls checks."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.keys import RATLS_POLICY
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .rule import Rule

RULE = Rule(
    code="extension-key",
    severity=Severity.INFORMATION,
    words="""
    `expected_bootchain`, `os_image_hash`, `compose_hash`, `app_compose` and `grace_period` come
    from Atlas, a library for attested TLS. ratls-ls enforces them in what it attests and sends;
    Codex itself does not know them.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    ratls_policy.grace_period = 86400
    ratls_policy.allowed_tdx_status = ["OutOfDate"]
    """,
)

KEYS = frozenset(model.name for model in RATLS_POLICY.children if model.is_extension)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for entry in provider.policy or ():
        if (name := entry.key.name) in KEYS:
            message = f"`{name}` is enforced by ratls-ls alone: Codex itself does not check it"
            yield RULE.problem(entry.key.span, message, provider=provider.id)
