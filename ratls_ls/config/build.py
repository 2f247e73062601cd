"""The Provider value of a table that has no errors.

Invariant: what is not exactly understood gives no Provider.
"""

from __future__ import annotations

from typing import NamedTuple

from ratls_ls.rats.policy import AppraisalPolicy, TcbStatus

from .keys import MOST_RETRIES, PROVIDER, RATLS_POLICY, Kind
from .meant import bears_on_attestation
from .model import DEFAULT_PCCS_URL, Provider, Secret
from .tables import ProviderTable, UnknownKey
from .toml.values import Table, integer_of, string_of
from .urls import Url, parse_url

_DEFAULTS = {
    model.name: int(model.default or 0) for model in PROVIDER.children if model.kind is Kind.INTEGER
}


class Terms(NamedTuple):
    """What a provider's `ratls_policy` comes to."""

    policy: AppraisalPolicy
    pccs_url: str


def provider_of(table: ProviderTable, terms: Terms | None) -> Provider | None:
    """The Provider; None if anything that bears on its attestation is missing or not understood.
    `terms`: its `terms_of`."""
    base_url = _url(table.base_url, "https")
    if not table.attested or base_url is None or terms is None:
        return None
    token = table.string("experimental_bearer_token")
    return Provider(
        id=table.id,
        base_url=base_url,
        policy=terms.policy,
        pccs_url=terms.pccs_url,
        name=table.string("name"),
        env_key=table.string("env_key"),
        bearer_token=Secret(token) if token is not None else None,
        http_headers=_secrets(table, "http_headers"),
        env_http_headers=tuple(_pairs(table, "env_http_headers")),
        query_params=_secrets(table, "query_params"),
        request_max_retries=min(_integer(table, "request_max_retries"), MOST_RETRIES),
        stream_idle_timeout_ms=_integer(table, "stream_idle_timeout_ms"),
    )


def _may_be_policy(unknown: UnknownKey) -> bool:
    key, meant = unknown
    if unknown.is_begun:
        return False
    if key.path:
        return key.path[0] == RATLS_POLICY.name
    return bears_on_attestation(key.entry.key.name, key.entry.value, meant)


def _url(text: str | None, *schemes: str) -> str | None:
    url = parse_url(text or "")
    if not isinstance(url, Url) or url.scheme not in schemes or url.refusal:
        return None
    return str(url).rstrip("/")


def terms_of(table: ProviderTable) -> Terms | None:
    """What the policy of a provider comes to; None if it is not exactly understood."""
    policy = _policy(table)
    pccs_url = _url(table.pccs_url or DEFAULT_PCCS_URL, "https", "http")
    if policy is None or pccs_url is None or any(map(_may_be_policy, table.unknown_keys)):
        return None
    return Terms(policy, pccs_url)


def _policy(table: ProviderTable) -> AppraisalPolicy | None:
    entry = table.policy_entry
    if entry is None:
        return AppraisalPolicy()
    policy = entry.value
    if not isinstance(policy, Table):
        return None
    statuses = {found.status for found in table.allowed}
    if policy.get("allowed_tdx_status") is None:
        statuses = {TcbStatus.UP_TO_DATE}
    if not statuses or None in statuses or TcbStatus.REVOKED in statuses:
        return None
    if not all(found.is_whole for found in table.measurements):
        return None
    return AppraisalPolicy(
        allowed_tcb_status=frozenset(status for status in statuses if status is not None),
        grace_period=integer_of(policy.get("grace_period")),
        pins=tuple(pin for pin, _ in table.pins),
    )


def _secrets(table: ProviderTable, key: str) -> tuple[tuple[str, Secret], ...]:
    return tuple([(name, Secret(text)) for name, text in _pairs(table, key)])


def _pairs(table: ProviderTable, key: str) -> list[tuple[str, str]]:
    pairs = table.table.get(key)
    if not isinstance(pairs, Table):
        return []
    found = [(entry.key.name, string_of(entry.value)) for entry in pairs]
    return [(name, text) for name, text in found if text is not None]


def _integer(table: ProviderTable, key: str) -> int:
    found = integer_of(table.table.get(key))
    return found if found is not None else _DEFAULTS[key]
