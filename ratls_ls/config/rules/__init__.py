"""The rules, in the order in which their problems are told apart.

Invariant: explicit: a rule that is not named here does not run, and a test sees that.
"""

from __future__ import annotations

from collections.abc import Iterator

from ratls_ls.config.context import Context
from ratls_ls.config.problem import Problem
from ratls_ls.config.tables import ConfigFile, ProviderTable

from . import (
    empty_allowed_status,
    insecure_base_url,
    invalid_measurement,
    invalid_url,
    misplaced_key,
    missing_base_url,
    missing_name,
    policy_without_use_ratls,
    reserved_provider_id,
    revoked_allowed,
    toml_syntax,
    undefined_provider,
    unknown_key,
    unknown_tcb_status,
    unsupported_tee_type,
    wrong_type,
)
from .rule import Rule

_FILE_RULES = (
    toml_syntax,
    undefined_provider,
)

_PROVIDER_RULES = (
    reserved_provider_id,
    unknown_key,
    misplaced_key,
    wrong_type,
    missing_name,
    missing_base_url,
    invalid_url,
    insecure_base_url,
    policy_without_use_ratls,
    unsupported_tee_type,
    unknown_tcb_status,
    empty_allowed_status,
    revoked_allowed,
    invalid_measurement,
)

RULES: tuple[Rule, ...] = tuple(rule.RULE for rule in (*_FILE_RULES, *_PROVIDER_RULES))
"""All rules."""


def file_problems(file: ConfigFile, context: Context) -> Iterator[Problem]:
    """What is wrong with the file as a whole."""
    for rule in _FILE_RULES:
        yield from rule.check(file, context)


def provider_problems(provider: ProviderTable, context: Context) -> list[Problem]:
    """What is wrong with one provider, taken by itself. Spans are the provider's."""
    return [problem for rule in _PROVIDER_RULES for problem in rule.check(provider, context)]
