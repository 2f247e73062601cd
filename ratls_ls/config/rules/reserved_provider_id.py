"""`reserved-provider-id`: a table under the id of a built-in provider."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.keys import BEDROCK_IDS, BEDROCK_KEYS, RESERVED_IDS
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import Scalar

from .rule import Rule

RULE = Rule(
    code="reserved-provider-id",
    severity=Severity.ERROR,
    words="""
    `openai`, `ollama` and `lmstudio` are built in. The RA-TLS fork silently ignores a table under
    such an id, `use_ratls` and policy included; upstream Codex refuses to start. `amazon-bedrock`
    and `amazon-bedrock-runtime` are built into upstream Codex, where a table under them may set
    `base_url`, `auth`, `http_headers` and `aws` alone.
    """,
    example="""
    [model_providers.openai]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    if provider.id in BEDROCK_IDS:
        yield from _of_bedrock(provider)
    if provider.id not in RESERVED_IDS:
        return
    message = (
        f"`{provider.id}` is a built-in provider: the RA-TLS fork ignores this whole table,"
        " upstream Codex refuses to start. Choose another id"
    )
    if provider.is_policy_alone:
        message += ". Its policy may be any provider's: ratls-ls attests none"
    yield RULE.problem(provider.id_spans[0], message, provider=provider.id)


def _of_bedrock(provider: ProviderTable) -> Iterator[Problem]:
    allowed = ", ".join(f"`{key}`" for key in BEDROCK_KEYS)
    for key in provider.own_keys:
        value = key.entry.value
        # Upstream takes what is the default for absent.
        default = isinstance(value, Scalar) and value.value in (False, "", "responses")
        if key.path or key.model is None or key.model.name in BEDROCK_KEYS or default:
            continue
        message = (
            f"`{provider.id}` is built into upstream Codex, where a table may change only"
            f" {allowed}: choose another id"
        )
        yield RULE.problem(key.entry.key.span, message, provider=provider.id)
