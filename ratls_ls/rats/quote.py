"""DCAP quotes. The only importer of dcap_qvl.

Invariant: what is taken from a quote before its signature verified is used for nothing but
choosing collateral.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import dcap_qvl
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .collateral import Collateral, common_name
from .collateral import to_json as collateral_json
from .errors import EvidenceError
from .evidence import MAX_QUOTE_BYTES
from .policy import TcbStatus
from .result import ClaimName

# Intel, "TDX DCAP Quoting Library API", quote format v4 (A.3) and v5 (A.4).
_HEADER = struct.Struct("<HHIHH")
_HEADER_BYTES = 48
_ATTESTATION_KEY_ECDSA_P256 = 2
_TEE_TDX = 0x81
_TEE_SGX = 0
_BODY_BYTES_V4 = 584
_BODY_BYTES_V5 = {2: 584, 3: 648, 4: 885}  # body type: TD 1.0, TD 1.5, TD 1.5 extended
_SIGNATURE_AND_KEY_BYTES = 64 + 64
_QE_REPORT_AND_SIGNATURE_BYTES = 384 + 64
_CERTIFICATION_QE_REPORT = 6
_CERTIFICATION_PCK_CHAIN = 5
_PCK_COMMON_NAME = "Intel SGX PCK Certificate"
_FMSPC = re.compile(r"[0-9A-F]{12}")
_CAS = ("platform", "processor")


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """A DCAP root CA (DER). `simulated` marks every root but Intel's; results carry it."""

    der: bytes
    simulated: bool


def _intel_root() -> TrustAnchor:
    # "Intel SGX Root CA", published at certificates.trustedservices.intel.com; SHA-256 of its DER:
    # 44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3.
    pem = Path(__file__).with_name("intel_sgx_root_ca.pem").read_bytes()
    root = x509.load_pem_x509_certificate(pem)
    return TrustAnchor(root.public_bytes(Encoding.DER), simulated=False)


INTEL_ROOT = _intel_root()


@dataclass(frozen=True, slots=True)
class CollateralKey:
    """Which collateral a quote asks for. From an unverified quote.

    `fmspc`: 12 upper-case hex digits; `ca`: "platform" or "processor"."""

    fmspc: str
    ca: str


@dataclass(frozen=True, slots=True)
class VerifiedQuote:
    """What a verified TDX quote says, whichever body it has (TD10, TD15, TD15Ex).

    Registers are 48 bytes, `td_attributes` 8 bytes little-endian, times Unix seconds.
    `tcb_status` is the merged status of platform, TDX module and QE; `qe_status` the QE's own.
    """

    report_data: bytes
    mrtd: bytes
    rtmrs: tuple[bytes, bytes, bytes, bytes]
    mrseam: bytes
    mr_config_id: bytes
    td_attributes: int
    tcb_status: TcbStatus
    qe_status: TcbStatus
    advisory_ids: tuple[str, ...]
    tcb_date: int
    qe_tcb_date: int
    tcb_evaluation_data_number: int
    fmspc: str
    platform_flags: tuple[str, ...]
    simulated: bool


def collateral_key(quote: bytes) -> CollateralKey:
    """Raises EvidenceError (`quote-format`) for anything but a TDX v4/v5 quote of exact length."""
    check_format(quote)
    try:
        parsed = dcap_qvl.parse_quote(quote)
        fmspc, ca = parsed.fmspc(), parsed.ca()
        leaf = x509.load_pem_x509_certificates((parsed.cert_chain_pem_bytes() or b"").rstrip(b"\0"))
    except ValueError as error:
        raise _malformed("the PCK certificate chain in the quote cannot be read") from error
    if not _FMSPC.fullmatch(fmspc) or ca not in _CAS:
        raise _malformed("the PCK certificate names no platform (FMSPC and CA)")
    if common_name(leaf[0]) != _PCK_COMMON_NAME:
        raise _malformed(
            "the quote's certificate is not for a platform",
            expected=_PCK_COMMON_NAME,
            actual=ascii(common_name(leaf[0]))[:60],
        )
    return CollateralKey(fmspc, ca)


def check_format(quote: bytes) -> None:
    """The frame of the quote: version, TEE, every length. Raises EvidenceError."""
    if len(quote) > MAX_QUOTE_BYTES:
        raise _malformed(
            "the quote is too large",
            expected=f"at most {MAX_QUOTE_BYTES} bytes",
            actual=f"{len(quote)} bytes",
        )
    reader = _Reader(quote)
    version, key_type, tee, _, _ = _HEADER.unpack(reader.take(_HEADER_BYTES)[: _HEADER.size])
    if tee == _TEE_SGX:
        raise _malformed("an SGX quote, no TDX quote", expected="TDX", actual="SGX")
    if tee != _TEE_TDX:
        raise _malformed("no TDX quote", expected="TEE type 0x81", actual=f"{tee:#x}")
    if version not in (4, 5):
        raise _malformed("unknown quote version", expected="4 or 5", actual=str(version))
    if key_type != _ATTESTATION_KEY_ECDSA_P256:
        raise _malformed("unknown attestation key type", expected="2", actual=str(key_type))
    reader.take(_BODY_BYTES_V4 if version == 4 else _v5_body(reader))
    signed = _Reader(reader.take(reader.number("<I")))
    reader.finish()
    signed.take(_SIGNATURE_AND_KEY_BYTES)
    outer = _Reader(signed.certification(_CERTIFICATION_QE_REPORT))
    signed.finish()
    outer.take(_QE_REPORT_AND_SIGNATURE_BYTES)
    outer.take(outer.number("<H"))
    outer.certification(_CERTIFICATION_PCK_CHAIN)
    outer.finish()


def _v5_body(reader: _Reader) -> int:
    body_type, size = reader.number("<H"), reader.number("<I")
    if _BODY_BYTES_V5.get(body_type) != size:
        raise _malformed(
            "unknown quote body", expected="TD 1.0, 1.5 or 1.5 extended", actual=f"type {body_type}"
        )
    return size


class _Reader:
    """Takes exact lengths off a quote; the verifier proper tolerates bytes between and behind."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise _malformed("the quote is cut short")
        self._at += size
        return part

    def number(self, form: str) -> int:
        value: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def certification(self, wanted: int) -> bytes:
        found = self.number("<H")
        if found != wanted:
            raise _malformed(
                "unsupported certification data",
                expected=f"type {wanted}",
                actual=f"type {found}",
            )
        return self.take(self.number("<I"))

    def finish(self) -> None:
        if self._at != len(self._data):
            raise _malformed(
                "the quote is longer than its parts",
                expected=f"{self._at} bytes",
                actual=f"{len(self._data)} bytes",
            )


@dataclass(frozen=True, slots=True)
class VerificationFailure:
    """Why dcap_qvl does not verify a quote, and under which claim that is reported."""

    claim: ClaimName
    reason: str


# dcap_qvl gives a cause as text only. First match wins; anything else is a bad signature.
_CAUSES: tuple[tuple[str, ClaimName, str], ...] = (
    (
        "Debug mode",
        ClaimName.TD_ATTRIBUTES,
        "the TD runs in debug mode, so its host can read its memory; no policy can allow that",
    ),
    (
        "SEPT_VE_DISABLE",
        ClaimName.TD_ATTRIBUTES,
        "SEPT_VE_DISABLE is off, so the host can inject faults; ask the operator to set it",
    ),
    (
        "MR service TD",
        ClaimName.TD_ATTRIBUTES,
        "the TD is bound to a service TD (migration), which nothing here attests",
    ),
    (
        "No matching TCB level",
        ClaimName.TCB_STATUS,
        "the platform is older than every TCB level that Intel still lists; ask the operator to "
        "update its firmware",
    ),
    (
        "FMSPC",
        ClaimName.QUOTE_SIGNATURE,
        "the collateral is for another platform (FMSPC); check pccs_url",
    ),
    ("expired", ClaimName.COLLATERAL, "collateral or a certificate is out of date"),
    ("not valid yet", ClaimName.COLLATERAL, "collateral or a certificate is not valid yet"),
    (
        "CertRevoked",
        ClaimName.QUOTE_SIGNATURE,
        "a certificate of the platform (PCK) or of its issuer is revoked; do not use this server",
    ),
    (
        "evoked",
        ClaimName.TCB_STATUS,
        "Intel revoked this platform's TCB; do not use this server",
    ),
    (
        "ttributes",
        ClaimName.TD_ATTRIBUTES,
        "an attribute of the TD or of its SEAM module is not allowed",
    ),
    ("PKS", ClaimName.TD_ATTRIBUTES, "an attribute of the TD is not allowed"),
    ("Reserved", ClaimName.TD_ATTRIBUTES, "a reserved attribute bit of the TD is set"),
    (
        "TDX module",
        ClaimName.TCB_STATUS,
        "the platform's TDX module is unknown or too old; ask the operator to update it",
    ),
)


def verify(
    quote: bytes, collateral: Collateral, now: int, anchors: Sequence[TrustAnchor]
) -> VerifiedQuote | VerificationFailure:
    """Verify under the first anchor that fits. `now`: Unix seconds. Raises nothing."""
    failure: VerificationFailure | None = None
    for anchor in anchors:
        outcome = _verify(quote, collateral, now, anchor)
        if isinstance(outcome, VerifiedQuote):
            return outcome
        # Of several refusals, one that is not about the signature says more.
        if failure is None or failure.claim is ClaimName.QUOTE_SIGNATURE:
            failure = outcome
    return failure or VerificationFailure(ClaimName.QUOTE_SIGNATURE, "no DCAP root is trusted")


def _verify(
    quote: bytes, collateral: Collateral, now: int, anchor: TrustAnchor
) -> VerifiedQuote | VerificationFailure:
    try:
        parts = _library_collateral(collateral)
        # No policy of the library: its strict one refuses every real server. Judged in `appraise`.
        policy = dcap_qvl.QuotePolicy.claims_only(now)
        claims = dcap_qvl.QuoteVerifier(anchor.der).verify_with_policy(quote, parts, now, policy)
        return _flatten(json.loads(claims.to_json()), anchor.simulated)
    except (ValueError, OverflowError, TypeError, KeyError):
        return _cause(quote, collateral, now, anchor)


@lru_cache(maxsize=16)
def _library_collateral(collateral: Collateral) -> dcap_qvl.QuoteCollateralV3:
    return dcap_qvl.QuoteCollateralV3.from_json(collateral_json(collateral))


def _cause(
    quote: bytes, collateral: Collateral, now: int, anchor: TrustAnchor
) -> VerificationFailure:
    """Ask again the way that keeps the cause."""
    try:
        dcap_qvl.verify_with_root_ca(quote, _library_collateral(collateral), anchor.der, now)
        text = "the verified claims have an unknown shape"
    except (ValueError, OverflowError, TypeError) as error:
        text = str(error)
    for sign, claim, reason in _CAUSES:
        if sign in text:
            return VerificationFailure(claim, reason)
    if "UnknownIssuer" in text:
        reason = "the quote's certificates do not lead to a trusted DCAP root (Intel's)"
        return VerificationFailure(ClaimName.QUOTE_SIGNATURE, reason)
    detail = text.removeprefix("Verification failed: ")[:120]
    return VerificationFailure(
        ClaimName.QUOTE_SIGNATURE, f"the quote does not verify: {ascii(detail)[1:-1]}"
    )


def _flatten(claims: dict[str, Any], simulated: bool) -> VerifiedQuote:
    report = claims["report"]
    if "TD15Ex" in report:
        body = report["TD15Ex"]["base"]["base"]
    elif "TD15" in report:
        body = report["TD15"]["base"]
    else:
        body = report["TD10"]
    if claims["tee_type"] != _TEE_TDX:
        raise ValueError("no TDX quote")
    platform, qe = claims["platform"], claims["qe"]
    pck = platform["pck"]
    return VerifiedQuote(
        report_data=_field(body, "report_data", 64),
        mrtd=_field(body, "mr_td", 48),
        rtmrs=(
            _field(body, "rt_mr0", 48),
            _field(body, "rt_mr1", 48),
            _field(body, "rt_mr2", 48),
            _field(body, "rt_mr3", 48),
        ),
        mrseam=_field(body, "mr_seam", 48),
        mr_config_id=_field(body, "mr_config_id", 48),
        td_attributes=int.from_bytes(_field(body, "td_attributes", 8), "little"),
        tcb_status=TcbStatus(claims["tcb"]["status"]),
        qe_status=TcbStatus(qe["tcb_level"]["tcbStatus"]),
        advisory_ids=tuple(str(advisory) for advisory in claims["tcb"]["advisory_ids"]),
        tcb_date=int(platform["tcb_date_tag"]),
        qe_tcb_date=_date(qe["tcb_level"]["tcbDate"]),
        tcb_evaluation_data_number=min(
            int(claims["tcb"]["eval_data_number"]), int(qe["tcb_eval_data_number"])
        ),
        fmspc=bytes(pck["fmspc"]).hex().upper(),
        platform_flags=tuple(
            flag
            for flag in ("dynamic_platform", "cached_keys", "smt_enabled")
            if pck[flag] == "True"
        ),
        simulated=simulated,
    )


def _field(body: dict[str, Any], name: str, size: int) -> bytes:
    value = bytes.fromhex(body[name])
    if len(value) != size:
        raise ValueError(f"{name} is not {size} bytes")
    return value


def _date(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _malformed(
    reason: str, *, expected: str | None = None, actual: str | None = None
) -> EvidenceError:
    return EvidenceError(ClaimName.QUOTE_FORMAT, reason, expected=expected, actual=actual)
