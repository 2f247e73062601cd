"""`foreign-credential`: a well-known secret of one service goes to another."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import string_of
from ratls_ls.config.urls import Url, parse_url
from ratls_ls.config.words import shown

from .rule import Rule

RULE = Rule(
    code="foreign-credential",
    severity=Severity.WARNING,
    words="""
    `env_key` or `env_http_headers` names a variable that holds another service's secret by
    convention, as OPENAI_API_KEY, AWS_SECRET_ACCESS_KEY or GITHUB_TOKEN do. Attestation says what
    runs at this host, not that it may have that secret. Use a key made for this provider.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    env_key = "OPENAI_API_KEY"
    """,
)

_AWS = ("AWS", ("amazonaws.com", "api.aws"))
_GITHUB = ("GitHub", ("github.com", "githubcopilot.com", "github.ai"))
_GOOGLE = ("Google", ("googleapis.com",))
_AZURE = ("Azure", ("azure.com", "azure-api.net"))
# Whose a variable is, and the domains that it is for.
_OWNERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "OPENAI_API_KEY": ("OpenAI", ("openai.com",)),
    "ANTHROPIC_API_KEY": ("Anthropic", ("anthropic.com",)),
    "AWS_ACCESS_KEY_ID": _AWS,
    "AWS_SECRET_ACCESS_KEY": _AWS,
    "AWS_SESSION_TOKEN": _AWS,
    "AWS_BEARER_TOKEN_BEDROCK": _AWS,
    "GITHUB_TOKEN": _GITHUB,
    "GH_TOKEN": _GITHUB,
    "GITLAB_TOKEN": ("GitLab", ("gitlab.com",)),
    "GEMINI_API_KEY": _GOOGLE,
    "GOOGLE_API_KEY": _GOOGLE,
    "AZURE_OPENAI_API_KEY": _AZURE,
    "AZURE_CLIENT_SECRET": _AZURE,
    "MISTRAL_API_KEY": ("Mistral", ("mistral.ai",)),
    "GROQ_API_KEY": ("Groq", ("groq.com",)),
    "XAI_API_KEY": ("xAI", ("x.ai",)),
    "DEEPSEEK_API_KEY": ("DeepSeek", ("deepseek.com",)),
    "OPENROUTER_API_KEY": ("OpenRouter", ("openrouter.ai",)),
}


def check(provider: ProviderTable) -> Iterator[Problem]:
    for entry in provider.variables:
        name = string_of(entry.value)
        if name is None or name not in _OWNERS:
            continue
        owner, domains = _OWNERS[name]
        url = parse_url(provider.base_url or "")
        if isinstance(url, Url) and not _may_have_it(url, domains):
            message = f"`{name}` is {owner}'s secret: this sends it to {shown(url.host)}"
            yield RULE.problem(entry.value.span, message, provider=provider.id)


def _may_have_it(url: Url, domains: tuple[str, ...]) -> bool:
    """A gateway on one's own machine is often what holds them."""
    return url.is_loopback or any(f".{url.host}".endswith(f".{domain}") for domain in domains)
