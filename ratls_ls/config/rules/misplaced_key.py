"""`misplaced-key`: a known key in a table where nobody reads it."""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.meant import home_of
from ratls_ls.config.problem import Problem, Severity
from ratls_ls.config.tables import ProviderTable

from .moving import become
from .rule import Rule

RULE = Rule(
    code="misplaced-key",
    severity=Severity.ERROR,
    words="""
    A key that belongs into another table: a pin beside `use_ratls` instead of under
    `ratls_policy`, or `base_url` under the policy. Codex ignores it there, so the policy is weaker
    than it looks.
    """,
    example="""
    [model_providers.tee]
    name = "TEE"
    base_url = "https://tee.example/v1"
    use_ratls = true
    allowed_tdx_status = ["UpToDate"]
    """,
)


def check(provider: ProviderTable) -> Iterator[Problem]:
    for unknown in provider.strange_keys:
        key = unknown.key.entry.key
        home = home_of(key.name, unknown.key.path)
        if home is None:
            continue
        where = f"`{'.'.join(home)}`" if home else "the provider's own table"
        message = f"`{key.name}` belongs into {where}; here Codex ignores it"
        yield RULE.problem(key.span, message, *become(provider, unknown), provider=provider.id)
