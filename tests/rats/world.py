"""A simulated TD, its platform and the channel to it, in which everything is right.

Each test changes one thing. The root is not Intel's, so whatever is affirmed here is simulated.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ratls_ls.rats.appraise import appraise
from ratls_ls.rats.binding import Binding, LiveBinding, OfflineBinding
from ratls_ls.rats.collateral import Collateral
from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.policy import AppraisalPolicy, Pin, Register, TcbStatus
from ratls_ls.rats.quote import INTEL_ROOT, TrustAnchor
from ratls_ls.rats.result import AttestationResult, ClaimVerdict
from ratls_ls.simulator import event_log as logs
from ratls_ls.simulator.collateral import TcbOptions, make_collateral
from ratls_ls.simulator.pki import DcapPki, Identity, dcap_pki
from ratls_ls.simulator.quote import QE_ISV_SVN, Body, TdReport, mint, raw_signature

NOW = int(time.time())
DAY = 24 * 3600
LEAF = b"the TLS leaf certificate of this session"
LEAF_SHA256 = hashlib.sha256(LEAF).digest()
NONCE = bytes(range(32))
EXPORTER = bytes(range(100, 132))
ORIGIN = "https://td.example:443"
LIVE = LiveBinding(
    origin=ORIGIN,
    tls_version="TLSv1.3",
    verified_host="td.example",
    leaf_certificate_sha256=LEAF_SHA256,
    nonce=NONCE,
    exporter=EXPORTER,
)
V1_REPORT_DATA = hashlib.sha512(NONCE + EXPORTER).digest()
V0_REPORT_DATA = NONCE.hex().encode()

Log = list[dict[str, Any]]


def pki() -> DcapPki:
    return dcap_pki()


@cache
def anchor() -> TrustAnchor:
    return TrustAnchor(pki().root.der, simulated=True)


def collateral(**options: Any) -> Collateral:
    return make_collateral(pki(), NOW, TcbOptions(**options))


def resigned(
    given: Collateral,
    *,
    tcb_info: dict[str, Any] | None = None,
    qe_identity: dict[str, Any] | None = None,
    signer: Identity | None = None,
) -> Collateral:
    """Collateral with other documents, signed by Intel's stand-in or by `signer`."""
    signer = signer or pki().tcb_signer
    info = json.dumps(tcb_info) if tcb_info is not None else given.tcb_info
    identity = json.dumps(qe_identity) if qe_identity is not None else given.qe_identity
    chain = signer.chain.decode()
    return replace(
        given,
        tcb_info=info,
        tcb_info_signature=raw_signature(signer.key, info.encode()),
        tcb_info_issuer_chain=chain,
        qe_identity=identity,
        qe_identity_signature=raw_signature(signer.key, identity.encode()),
        qe_identity_issuer_chain=chain,
    )


def log(*, leaf: bytes | None = LEAF) -> Log:
    return logs.make_event_log(leaf)


@dataclass
class World:
    """What a test may change; `appraise` puts it together and judges it."""

    report: TdReport = field(default_factory=lambda: TdReport(report_data=V1_REPORT_DATA))
    version: int = 4
    body: Body = Body.TD10
    qe_isv_svn: int = QE_ISV_SVN
    pck: Identity | None = None
    log: Log | None = field(default_factory=log)
    told: str | None = None  # the event log as sent, where it is not `log`
    quote: bytes | None = None  # the quote as sent, where it is not the minted one
    evidence: Evidence | EvidenceError | None = None
    collateral: Collateral | None = field(default_factory=collateral)
    policy: AppraisalPolicy = field(default_factory=AppraisalPolicy)
    binding: Binding = LIVE
    now: int = NOW
    minimum_tcb_evaluation: int = 0
    anchors: tuple[TrustAnchor, ...] = field(default_factory=lambda: (INTEL_ROOT, anchor()))

    def mint(self) -> bytes:
        if self.log is not None:
            self.report.rtmrs = logs.replay(self.log)
        return mint(
            self.report,
            pki() if self.pck is None else replace(pki(), pck=self.pck),
            version=self.version,
            body=self.body,
            qe_isv_svn=self.qe_isv_svn,
        )

    def appraise(self) -> AttestationResult:
        evidence = self.evidence
        if evidence is None:
            quote = self.quote if self.quote is not None else self.mint()
            text = json.dumps(self.log) if self.log is not None else None
            evidence = Evidence(quote, self.told if self.told is not None else text)
        return appraise(
            evidence,
            collateral=self.collateral,
            policy=self.policy,
            binding=self.binding,
            now=self.now,
            anchors=self.anchors,
            minimum_tcb_evaluation=self.minimum_tcb_evaluation,
        )


def pck_leaf(
    name: str = "Intel SGX PCK Certificate",
    *,
    issuer: Identity | None = None,
    edit: Callable[[bytes], bytes] = lambda der: der,
) -> Identity:
    """A platform certificate with another name, issuer or SGX extension (DER, through `edit`)."""
    issuer = issuer or pki().platform_ca
    model = pki().pck.certificate
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(model.not_valid_before_utc)
        .not_valid_after(model.not_valid_after_utc)
    )
    for extension in model.extensions:
        value = extension.value
        if isinstance(value, x509.UnrecognizedExtension):
            value = x509.UnrecognizedExtension(value.oid, edit(value.value))
        builder = builder.add_extension(value, extension.critical)
    certificate = builder.sign(issuer.key, hashes.SHA256())
    return Identity(certificate, key, certificate.public_bytes(Encoding.PEM) + issuer.chain)


def v0(**changes: Any) -> World:
    """The same with a server of the first generation."""
    return World(report=TdReport(report_data=V0_REPORT_DATA), **changes)


def failures(result: AttestationResult) -> list[str]:
    return [claim.name.value for claim in result.failed_claims]


def not_reached(result: AttestationResult) -> list[str]:
    return [
        claim.name.value for claim in result.claims if claim.verdict is ClaimVerdict.NOT_REACHED
    ]


def allowing(*names: str, **more: Any) -> AppraisalPolicy:
    statuses = frozenset(status for status in TcbStatus if status.value in names)
    assert len(statuses) == len(names)
    return AppraisalPolicy(allowed_tcb_status=statuses, **more)


def pinning(**values: bytes) -> AppraisalPolicy:
    """A policy with pins by name of the register."""
    return AppraisalPolicy(
        pins=tuple(Pin(f"key_of_{name}", Register(name), value) for name, value in values.items())
    )


__all__ = [
    "DAY",
    "EXPORTER",
    "INTEL_ROOT",
    "LEAF",
    "LEAF_SHA256",
    "LIVE",
    "NONCE",
    "NOW",
    "ORIGIN",
    "V0_REPORT_DATA",
    "V1_REPORT_DATA",
    "AppraisalPolicy",
    "Body",
    "OfflineBinding",
    "TdReport",
    "World",
    "allowing",
    "anchor",
    "collateral",
    "failures",
    "log",
    "logs",
    "not_reached",
    "pck_leaf",
    "pinning",
    "pki",
    "resigned",
    "v0",
]
