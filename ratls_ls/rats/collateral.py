"""DCAP collateral: Intel's word about a platform's TCB, as fetched from a PCCS.

Invariant: a Collateral value is well-formed text and bytes, never yet trusted. dcap_qvl verifies
the signatures; who signed and when it holds is judged here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography import x509

from . import strict_json
from .certificates import common_name, read_chain
from .errors import CollateralError
from .evidence import from_hex

# Intel, "Provisioning Certification Service" v4, certificate hierarchy.
TCB_SIGNER = "Intel SGX TCB Signing"
# The same, "Get TDX TCB Info" and "Get TDX QE Identity": what all else is to be understood by.
_FORM = {"TCB info": {"version": 3, "tcbType": 0}, "QE identity": {"version": 2}}
_BYTES = ("root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature")


@dataclass(frozen=True, slots=True)
class Collateral:
    """The parts of DCAP collateral v3 (names as in Intel's `sgx_ql_qve_collateral_t`).

    Chains are PEM, CRLs DER, `tcb_info` and `qe_identity` the inner JSON exactly as signed,
    signatures raw r‖s (64 bytes).
    """

    pck_crl_issuer_chain: str
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info_issuer_chain: str
    tcb_info: str
    tcb_info_signature: bytes
    qe_identity_issuer_chain: str
    qe_identity: str
    qe_identity_signature: bytes


@dataclass(frozen=True, slots=True)
class Validity:
    """The narrowest window over all parts, in Unix seconds: from `starts`, until before `ends`;
    and which parts make it so."""

    starts: int
    ends: int
    first_to_end: str
    last_to_start: str


def from_json(text: str) -> Collateral:
    """Collateral from dcap-qvl's JSON form (hex for bytes). Raises CollateralError."""
    try:
        document = strict_json.loads(text)
    except strict_json.StrictJsonError as error:
        raise CollateralError(f"the collateral cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise CollateralError("the collateral is not a JSON object")
    parts: dict[str, Any] = {}
    for name in Collateral.__dataclass_fields__:
        value = document.get(name)
        if not isinstance(value, str):
            raise CollateralError(f"the collateral has no text `{name}`")
        if name in _BYTES:
            data = from_hex(value)
            if data is None:
                raise CollateralError(f"`{name}` of the collateral is not hex")
            parts[name] = data
        else:
            parts[name] = value
    return Collateral(**parts)


def to_json(collateral: Collateral) -> str:
    """dcap-qvl's JSON form."""
    parts = asdict(collateral)
    return json.dumps(
        {name: part.hex() if isinstance(part, bytes) else part for name, part in parts.items()}
    )


def expires_at(collateral: Collateral) -> int:
    """Unix seconds of the earliest nextUpdate / notAfter of all parts. Raises CollateralError."""
    return validity(collateral).ends


@lru_cache(maxsize=64)
def validity(collateral: Collateral) -> Validity:
    """When all parts hold. Raises CollateralError."""
    windows = list(_windows(collateral))
    start = max(windows, key=lambda window: window[1])
    end = min(windows, key=lambda window: window[2])
    return Validity(start[1], end[2], first_to_end=end[0], last_to_start=start[0])


@lru_cache(maxsize=64)
def evaluation_number(collateral: Collateral) -> int:
    """The lower tcbEvaluationDataNumber of TCB info and QE identity. Raises CollateralError."""
    numbers = [
        _document(text, name).get("tcbEvaluationDataNumber")
        for name, text in (
            ("TCB info", collateral.tcb_info),
            ("QE identity", collateral.qe_identity),
        )
    ]
    whole = [number for number in numbers if type(number) is int]
    if len(whole) != len(numbers):
        raise CollateralError("the collateral has no tcbEvaluationDataNumber")
    return min(whole)


@lru_cache(maxsize=64)
def pce_id(collateral: Collateral) -> bytes | None:
    """Which of Intel's provisioning enclaves the TCB info is for; None if it does not say. Raises
    CollateralError."""
    return from_hex(str(_document(collateral.tcb_info, "TCB info").get("pceId")))


@lru_cache(maxsize=64)
def wrong_signer(collateral: Collateral) -> str | None:
    """The name on a leaf that may not sign TCB info or QE identity; None if both may.

    A leaked PCK key under the same root could sign them too, so the name is part of the trust.
    Raises CollateralError.
    """
    for name, pem in (
        ("TCB info", collateral.tcb_info_issuer_chain),
        ("QE identity", collateral.qe_identity_issuer_chain),
    ):
        signer = _certificates(pem, name)[0][0]
        if signer != TCB_SIGNER:
            return signer or "(no name)"
    return None


def unix_seconds(text: str) -> int:
    """Unix seconds of an ISO 8601 time, UTC where it names no zone. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return _seconds(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _windows(collateral: Collateral) -> Iterator[tuple[str, int, int]]:
    """(part, first second, last second)."""
    for name, text in (("TCB info", collateral.tcb_info), ("QE identity", collateral.qe_identity)):
        document = _document(text, name)
        yield name, _date(document, "issueDate", name), _date(document, "nextUpdate", name)
    for name, der in (("PCK CRL", collateral.pck_crl), ("root CA CRL", collateral.root_ca_crl)):
        yield name, *_crl(der, name)
    for name, pem in (
        ("PCK CRL issuer", collateral.pck_crl_issuer_chain),
        ("TCB info signer", collateral.tcb_info_issuer_chain),
        ("QE identity signer", collateral.qe_identity_issuer_chain),
    ):
        for _, starts, ends in _certificates(pem, name):
            yield f"{name} certificate", starts, ends


def _document(text: str, name: str) -> dict[str, Any]:
    try:
        document = strict_json.loads(text)
    except strict_json.StrictJsonError as error:
        raise CollateralError(f"the {name} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise CollateralError(f"the {name} is not a JSON object")
    if any(document.get(key) != value for key, value in _FORM[name].items()):
        raise CollateralError(
            f"the {name} has another form than version 4 of Intel's service gives"
        )
    return document


def _date(document: dict[str, Any], key: str, name: str) -> int:
    value = document.get(key)
    if not isinstance(value, str):
        raise CollateralError(f"the {name} has no {key}")
    try:
        return unix_seconds(value)
    except ValueError as error:
        raise CollateralError(f"{key} of the {name} is no date") from error


def _certificates(pem: str, name: str) -> list[tuple[str, int, int]]:
    """(common name, first second, last second) of each certificate in a chain, leaf first."""
    try:
        return [
            (
                common_name(certificate),
                _seconds(certificate.not_valid_before_utc),
                _seconds(certificate.not_valid_after_utc),
            )
            for certificate in read_chain(pem.encode("ascii"))
        ]
    except ValueError as error:
        raise CollateralError(f"the {name} chain is not PEM certificates") from error


def _crl(der: bytes, name: str) -> tuple[int, int]:
    """(first second, last second)"""
    try:
        crl = x509.load_der_x509_crl(der)
        ends = crl.next_update_utc
        starts = crl.last_update_utc
    except (ValueError, x509.InvalidVersion) as error:
        raise CollateralError(f"the {name} is not a revocation list") from error
    if ends is None:
        raise CollateralError(f"the {name} has no next update")
    return _seconds(starts), _seconds(ends)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
