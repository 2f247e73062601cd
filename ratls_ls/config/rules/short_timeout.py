"""`short-timeout`: a stream that is given up before a model can answer."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.problem import Edit, Fix, Problem, Severity
from ratls_ls.config.tables import ProviderTable
from ratls_ls.config.toml.values import integer_of

from .rule import Rule

RULE = Rule(
    code="short-timeout",
    severity=Severity.WARNING,
    words="""
    `stream_idle_timeout_ms` is in milliseconds. Less than a second is less than a model takes for
    its first word: the stream is given up, and tried again, after the prompt was sent.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    stream_idle_timeout_ms = 300
    """,
)

_KEY = "stream_idle_timeout_ms"
_SECOND = 1000


def check(provider: ProviderTable) -> Iterator[Problem]:
    value = provider.table.get(_KEY)
    number = integer_of(value)
    if value is None or number is None or not 0 < number < _SECOND:
        return
    seconds = number * _SECOND
    fix = Fix(f"Change to {seconds}, which is {number} s", (Edit(value.span, str(seconds)),))
    message = (
        f"{number} milliseconds: the stream is given up before a model can answer, after the"
        " prompt was sent"
    )
    yield RULE.problem(value.span, message, fix, provider=provider.id)
