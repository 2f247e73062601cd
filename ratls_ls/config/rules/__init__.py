"""The rules, in the order in which their problems are told apart.

Invariant: explicit: a rule that is not named here does not run, and a test sees that.
"""

from __future__ import annotations

from collections.abc import Iterable

from ratls_ls.config.context import Context
from ratls_ls.config.dotted_ids import is_cut
from ratls_ls.config.keys import RESERVED_IDS
from ratls_ls.config.problem import Problem
from ratls_ls.config.tables import ConfigFile, ModelledKey, ProviderTable
from ratls_ls.config.toml.values import Table
from ratls_ls.rats.policy import AppraisalPolicy

from . import (
    base_in_doubt,
    base_url_endpoint,
    capped_retries,
    competing_credentials,
    conflicting_pins,
    credential_fallback,
    dotted_provider_id,
    duplicate_header,
    duplicate_tcb_status,
    empty_allowed_status,
    empty_measurement,
    exposed_file,
    extension_key,
    forbidden_host,
    foreign_credential,
    grace_period_without_out_of_date,
    ignored_in_project,
    insecure_base_url,
    insecure_pccs_url,
    invalid_app_compose,
    invalid_env_key,
    invalid_header,
    invalid_measurement,
    invalid_url,
    legacy_profile,
    literal_credential,
    long_grace_period,
    long_measurement,
    misplaced_key,
    misplaced_table,
    missing_base_url,
    missing_name,
    missing_pccs_url,
    misspelt_attestation,
    no_measurement_pinned,
    placeholder_measurement,
    policy_without_use_ratls,
    refused_upstream,
    reserved_provider_id,
    revoked_allowed,
    short_measurement,
    short_timeout,
    similar_provider_ids,
    tcb_status_case,
    toml_syntax,
    unanchored_pin,
    unattested_default,
    undefined_provider,
    unknown_key,
    unknown_tcb_status,
    unknown_wire_api,
    unset_env_key,
    unsupported_tee_type,
    up_to_date_refused,
    weak_tcb_status,
    weakened_in_profile,
    wire_api_chat,
    wrong_type,
)
from .rule import (
    AttestedCheck,
    ContextCheck,
    FileCheck,
    OverlayCheck,
    ProviderCheck,
    RootCheck,
    Rule,
)

_MODULES = (
    toml_syntax,
    undefined_provider,
    misplaced_table,
    dotted_provider_id,
    similar_provider_ids,
    unattested_default,
    reserved_provider_id,
    ignored_in_project,
    misspelt_attestation,
    unknown_key,
    misplaced_key,
    wrong_type,
    missing_name,
    missing_base_url,
    invalid_url,
    insecure_base_url,
    forbidden_host,
    base_url_endpoint,
    policy_without_use_ratls,
    weakened_in_profile,
    base_in_doubt,
    unsupported_tee_type,
    unknown_tcb_status,
    tcb_status_case,
    duplicate_tcb_status,
    empty_allowed_status,
    revoked_allowed,
    up_to_date_refused,
    weak_tcb_status,
    long_grace_period,
    grace_period_without_out_of_date,
    missing_pccs_url,
    insecure_pccs_url,
    invalid_measurement,
    empty_measurement,
    short_measurement,
    long_measurement,
    placeholder_measurement,
    invalid_app_compose,
    conflicting_pins,
    no_measurement_pinned,
    unanchored_pin,
    extension_key,
    credential_fallback,
    foreign_credential,
    competing_credentials,
    literal_credential,
    exposed_file,
    invalid_env_key,
    unset_env_key,
    invalid_header,
    duplicate_header,
    unknown_wire_api,
    wire_api_chat,
    refused_upstream,
    legacy_profile,
    capped_retries,
    short_timeout,
)

# What one stretch of text shows by itself, wherever it stands.
_ROOT_CHECKS: tuple[RootCheck, ...] = (
    misplaced_table.check_root,
    wrong_type.check_root,
    legacy_profile.check_root,
)

_PROVIDER_CHECKS: tuple[ProviderCheck, ...] = (
    reserved_provider_id.check,
    wrong_type.check,
    missing_name.check,
    missing_base_url.check,
    invalid_url.check,
    insecure_base_url.check,
    forbidden_host.check,
    base_url_endpoint.check,
    policy_without_use_ratls.check,
    credential_fallback.check,
    foreign_credential.check,
    invalid_env_key.check,
    unknown_wire_api.check,
    wire_api_chat.check,
    refused_upstream.check,
)

# What holds of a table that is ignored: Codex must be able to read it, and whoever has it can.
_RESERVED_CHECKS: tuple[ProviderCheck, ...] = (
    reserved_provider_id.check,
    wrong_type.check,
    wrong_type.check_policy,
    literal_credential.check,
)

# What a policy shows by itself, given the id of its provider and whether that is attested.
_POLICY_CHECKS: tuple[ProviderCheck, ...] = (
    wrong_type.check_policy,
    invalid_url.check_policy,
    forbidden_host.check_policy,
    unsupported_tee_type.check,
    unknown_tcb_status.check,
    tcb_status_case.check,
    duplicate_tcb_status.check,
    empty_allowed_status.check,
    revoked_allowed.check,
    up_to_date_refused.check,
    weak_tcb_status.check,
    missing_pccs_url.check,
    insecure_pccs_url.check,
    invalid_measurement.check,
    empty_measurement.check,
    short_measurement.check,
    long_measurement.check,
    placeholder_measurement.check,
)

# Of keys that nobody knows,
_UNKNOWN_KEY_CHECKS: tuple[ProviderCheck, ...] = (
    misspelt_attestation.check,
    unknown_key.check,
    misplaced_key.check,
)

# and of keys that few have: these need not run where none of them stands.
_RareChecks = tuple[tuple[ProviderCheck, frozenset[str]], ...]
_GRACE_PERIOD = frozenset({"grace_period"})
_RARE_POLICY_CHECKS: _RareChecks = (
    (long_grace_period.check, _GRACE_PERIOD),
    (grace_period_without_out_of_date.check, _GRACE_PERIOD),
    (invalid_app_compose.check, frozenset({"app_compose"})),
    (conflicting_pins.check, frozenset({"mrtmrs", "rtmr0", "compose_hash", "app_compose"})),
    (extension_key.check, extension_key.KEYS),
)
_HEADERS = frozenset({"http_headers", "env_http_headers"})
_RARE_KEY_CHECKS: _RareChecks = (
    (competing_credentials.check, _HEADERS | {"auth", "experimental_bearer_token"}),
    (literal_credential.check, _HEADERS | {"experimental_bearer_token", "query_params"}),
    (invalid_header.check, _HEADERS),
    (duplicate_header.check, _HEADERS),
    (capped_retries.check, frozenset({"request_max_retries", "stream_max_retries"})),
    (short_timeout.check, frozenset({"stream_idle_timeout_ms"})),
)

# What is said only of those that can be attested.
_ATTESTED_CHECKS: tuple[AttestedCheck, ...] = (no_measurement_pinned.check, unanchored_pin.check)

# What also depends on things outside the text.
_CONTEXT_CHECKS: tuple[ContextCheck, ...] = (
    ignored_in_project.check,
    unset_env_key.check,
    exposed_file.check_provider,
)

# What a profile's file makes of a provider that it is laid over.
_OVERLAY_CHECKS: tuple[OverlayCheck, ...] = (weakened_in_profile.check,)

# What only the whole file shows.
_FILE_CHECKS: tuple[FileCheck, ...] = (
    toml_syntax.check,
    undefined_provider.check,
    misplaced_table.check,
    similar_provider_ids.check,
    unattested_default.check,
    base_in_doubt.check,
    exposed_file.check,
)

RULES: tuple[Rule, ...] = tuple(module.RULE for module in _MODULES)
"""All rules, in the order of the rule reference."""
_OF_ABSENCE = frozenset(rule.code for rule in RULES if rule.of_absence)


def root_problems(root: Table) -> list[Problem]:
    """What stands at the top or in a profile and should not."""
    return [problem for check in _ROOT_CHECKS for problem in check(root)]


def provider_problems(
    provider: ProviderTable, policy: Iterable[Problem] | None = None, *, torn: bool = False
) -> list[Problem]:
    """What is wrong with one provider, taken by itself. `policy`: its `policy_problems`, if they
    are known already, which says that there is no unknown key either. `torn`: more of it stands in
    the text than in its table, so nobody knows what is missing."""
    if is_cut(provider.relative_entry.key):
        return list(dotted_provider_id.check(provider))
    if provider.id in RESERVED_IDS:
        return [problem for check in _RESERVED_CHECKS for problem in check(provider)]
    problems = [problem for check in _PROVIDER_CHECKS for problem in check(provider)]
    if policy is None and provider.unknown_keys:
        problems += [problem for check in _UNKNOWN_KEY_CHECKS for problem in check(provider)]
    problems += _rare(provider, provider.own_keys, _RARE_KEY_CHECKS)
    problems += policy_problems(provider) if policy is None else policy
    return [each for each in problems if each.code not in _OF_ABSENCE] if torn else problems


def policy_problems(provider: ProviderTable) -> list[Problem]:
    """What is wrong with the policy of a provider, whatever else stands there."""
    problems = [problem for check in _POLICY_CHECKS for problem in check(provider)]
    return problems + _rare(provider, provider.policy_keys, _RARE_POLICY_CHECKS)


def _rare(
    provider: ProviderTable, keys: Iterable[ModelledKey], checks: _RareChecks
) -> list[Problem]:
    names = {key.entry.key.name for key in keys}
    problems: list[Problem] = []
    for check, rare in checks:
        if not names.isdisjoint(rare):
            problems += check(provider)
    return problems


def attested_problems(provider: ProviderTable, policy: AppraisalPolicy) -> list[Problem]:
    """What is wrong with one that can be attested, under `policy`. None of it is an error."""
    return [problem for check in _ATTESTED_CHECKS for problem in check(provider, policy)]


def overlay_problems(provider: ProviderTable, base: ProviderTable) -> list[Problem]:
    """What is wrong with one provider of a profile's file as laid over `base`."""
    return [problem for check in _OVERLAY_CHECKS for problem in check(provider, base)]


def context_problems(provider: ProviderTable, context: Context) -> list[Problem]:
    """What is wrong with one provider in this context. None of it is an error."""
    return [problem for check in _CONTEXT_CHECKS for problem in check(provider, context)]


def file_problems(file: ConfigFile, context: Context) -> list[Problem]:
    """What is wrong with the file as a whole."""
    return [problem for check in _FILE_CHECKS for problem in check(file, context)]
