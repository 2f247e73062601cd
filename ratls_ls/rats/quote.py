"""DCAP quotes. The only importer of dcap_qvl.

Invariant: what is taken from a quote before its signature verified is used for nothing but
choosing collateral, and only Intel's own root makes a quote that is not simulated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import dcap_qvl
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .certificates import common_name, leads_to, read_chain
from .collateral import Collateral, pce_id, unix_seconds
from .collateral import to_json as collateral_json
from .errors import foreign
from .quote_format import check_format, malformed
from .refusal import FOREIGN_ROOT, OTHER_PCE, Refusal, understand

# Intel, "SGX PCK Certificate and CRL Profile", subject of a leaf.
_PCK_COMMON_NAME = "Intel SGX PCK Certificate"
_FMSPC = re.compile(r"[0-9A-F]{12}")
_CAS = ("platform", "processor")
_TEE_TDX = 0x81


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
class TcbLevel:
    """The TCB level that one `part` matched: `status` in Intel's words, `date` (tcbDate) in Unix
    seconds."""

    part: str
    status: str
    date: int


@dataclass(frozen=True, slots=True)
class PlatformTcb:
    """Intel's word on the platform. `status` is merged over all `levels`: the platform as the TD
    was launched on it, for TD 1.5 as it is now, and the quoting enclave. `flags`: what the PCK
    certificate says of it that every real server has."""

    status: str
    advisory_ids: tuple[str, ...]
    levels: tuple[TcbLevel, ...]
    evaluation_data_number: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifiedQuote:
    """What a TDX quote with a verified signature says, whichever body it has (TD10, TD15, TD15Ex).

    Registers are 48 bytes, `service_td` too (empty where the body has none), `report_data` 64;
    `td_attributes` is a number. `tcb` is Intel's word on the platform, or why dcap_qvl refused the
    quote after its signature.
    """

    report_data: bytes
    mrtd: bytes
    rtmrs: tuple[bytes, bytes, bytes, bytes]
    mrseam: bytes
    mr_config_id: bytes
    service_td: bytes
    td_attributes: int
    tcb: PlatformTcb | Refusal
    simulated: bool


@lru_cache(maxsize=16)
def collateral_key(quote: bytes) -> CollateralKey:
    """Raises EvidenceError (`quote-format`) for anything but a TDX v4/v5 quote of exact length."""
    check_format(quote)
    try:
        parsed = dcap_qvl.parse_quote(quote)
        fmspc, ca = parsed.fmspc(), parsed.ca()
        leaf = common_name(_certificates(parsed)[0])
    except ValueError as error:
        raise malformed("the PCK certificate chain in the quote cannot be read") from error
    if not _FMSPC.fullmatch(fmspc) or ca not in _CAS:
        raise malformed("the PCK certificate names no platform (FMSPC and CA)")
    if leaf != _PCK_COMMON_NAME:
        raise malformed(
            "the quote's certificate is not for a platform",
            expected=_PCK_COMMON_NAME,
            actual=foreign(leaf),
        )
    return CollateralKey(fmspc, ca)


def verify(
    quote: bytes, collateral: Collateral, now: int, anchors: Sequence[TrustAnchor]
) -> VerifiedQuote | Refusal:
    """Verify under Intel's root if it is among `anchors`, else under the first other that fits.

    `now`: Unix seconds. Raises nothing.
    """
    found: VerifiedQuote | Refusal = FOREIGN_ROOT
    for anchor in sorted(anchors, key=lambda anchor: anchor.der != INTEL_ROOT.der):
        if found is FOREIGN_ROOT:
            found = _verify(quote, collateral, now, anchor)
    return found


def _verify(
    quote: bytes, collateral: Collateral, now: int, anchor: TrustAnchor
) -> VerifiedQuote | Refusal:
    simulated = anchor.der != INTEL_ROOT.der
    try:
        parts = _library_collateral(collateral)
        # No policy of the library: its strict one refuses every real server. Judged in `appraise`.
        policy = dcap_qvl.QuotePolicy.claims_only(now)
        verifier = dcap_qvl.QuoteVerifier(anchor.der)
        claims = json.loads(verifier.verify_with_policy(quote, parts, now, policy).to_json())
        # Which dcap_qvl does not compare, as it does the FMSPC (Intel, "Get TDX TCB Info", pceId).
        if bytes(claims["platform"]["pck"]["pce_id"]) != pce_id(collateral):
            return OTHER_PCE
        return _verified(_claimed_body(claims), _platform_tcb(claims), simulated)
    except (ValueError, OverflowError, LookupError, TypeError, AttributeError):
        refusal = _refusal(quote, collateral, now, anchor)
    parsed = dcap_qvl.parse_quote(quote) if refusal.after_signature else None
    if parsed is None or not parsed.is_tdx():
        return refusal
    # The library tells no claims then; these are the same bytes, whose signature it verified.
    return _verified(lambda name: getattr(parsed.report, name, b""), refusal, simulated)


@lru_cache(maxsize=16)
def _library_collateral(collateral: Collateral) -> dcap_qvl.QuoteCollateralV3:
    return dcap_qvl.QuoteCollateralV3.from_json(collateral_json(collateral))


def _refusal(quote: bytes, collateral: Collateral, now: int, anchor: TrustAnchor) -> Refusal:
    """Ask again the way that keeps the cause."""
    try:
        dcap_qvl.verify_with_root_ca(quote, _library_collateral(collateral), anchor.der, now)
        cause = "the verified claims have an unknown shape"
    except (ValueError, OverflowError) as error:
        cause = str(error)
    try:
        chain = _certificates(dcap_qvl.parse_quote(quote))
        leads = leads_to(chain, x509.load_der_x509_certificate(anchor.der))
    except ValueError:
        leads = False
    return understand(cause, chain_leads_to_root=leads)


def _certificates(parsed: dcap_qvl.Quote) -> list[x509.Certificate]:
    # Intel's quoting library ends the chain with a NUL.
    return read_chain((parsed.cert_chain_pem_bytes() or b"").rstrip(b"\0"))


def _claimed_body(claims: dict[str, Any]) -> Callable[[str], bytes]:
    """The fields of the body by name, however deep dcap_qvl nests them; empty if not there."""
    if claims["tee_type"] != _TEE_TDX:
        raise ValueError("no TDX quote")
    body = next(iter(claims["report"].values()), None)
    fields: dict[str, Any] = {}
    while body is not None:
        fields |= body
        body = body.get("base")
    return lambda name: bytes.fromhex(fields.get(name, ""))


def _verified(
    read: Callable[[str], bytes], tcb: PlatformTcb | Refusal, simulated: bool
) -> VerifiedQuote:
    def field(name: str, size: int) -> bytes:
        value = read(name)
        if len(value) != size:
            raise ValueError(f"{name} is not {size} bytes")
        return value

    return VerifiedQuote(
        report_data=field("report_data", 64),
        mrtd=field("mr_td", 48),
        rtmrs=(
            field("rt_mr0", 48),
            field("rt_mr1", 48),
            field("rt_mr2", 48),
            field("rt_mr3", 48),
        ),
        mrseam=field("mr_seam", 48),
        mr_config_id=field("mr_config_id", 48),
        service_td=read("mr_service_td"),
        td_attributes=int.from_bytes(field("td_attributes", 8), "little"),
        tcb=tcb,
        simulated=simulated,
    )


def _platform_tcb(claims: dict[str, Any]) -> PlatformTcb:
    tcb, platform, qe = claims["tcb"], claims["platform"], claims["qe"]
    levels = [
        _level("platform", platform["tcb_level"]),
        _level("quoting enclave", qe["tcb_level"]),
    ]
    if (current := platform["current_tcb_level"]) is not None:
        levels.append(_level("platform as it is now", current))
    return PlatformTcb(
        status=str(tcb["status"]),
        advisory_ids=tuple(str(advisory) for advisory in tcb["advisory_ids"]),
        levels=tuple(levels),
        evaluation_data_number=int(tcb["eval_data_number"]),
        flags=tuple(
            flag.replace("_", " ")
            for flag in ("dynamic_platform", "cached_keys", "smt_enabled")
            if platform["pck"][flag] == "True"
        ),
    )


def _level(part: str, level: dict[str, Any]) -> TcbLevel:
    return TcbLevel(part, str(level["tcbStatus"]), unix_seconds(level["tcbDate"]))
