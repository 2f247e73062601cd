"""Mints TDX quotes v4 and v5 with any content, signed by a simulated platform.

Layout: Intel, "TDX DCAP Quoting Library API", A.3 and A.4.
"""

from __future__ import annotations

import hashlib
import os
import struct
from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .pki import CPU_SVN, DcapPki

_QE_VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")  # Intel's, as every verifier wants
QE_MR_SIGNER = bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5")
QE_ISV_PROD_ID = 2
QE_ISV_SVN = 6
TEE_TCB_SVN = bytes([5, 1, 2]) + bytes(13)
SEPT_VE_DISABLE = 1 << 28
TEE_TDX = 0x81
TEE_SGX = 0


class Body(IntEnum):
    """The body of a quote: TD 1.0, TD 1.5 or TD 1.5 extended (numbers of quote v5)."""

    TD10 = 2
    TD15 = 3
    TD15_EX = 4


@dataclass(slots=True)
class TdReport:
    """The contents of a TD report. Registers are 48 bytes, attributes bit fields."""

    report_data: bytes = bytes(64)
    tee_tcb_svn: bytes = TEE_TCB_SVN
    mrseam: bytes = hashlib.sha384(b"simulated TDX module").digest()
    mr_signer_seam: bytes = bytes(48)  # Intel's modules have zeros
    seam_attributes: int = 0
    td_attributes: int = SEPT_VE_DISABLE
    mrtd: bytes = hashlib.sha384(b"simulated virtual firmware").digest()
    mr_config_id: bytes = bytes(48)
    rtmrs: list[bytes] = field(default_factory=lambda: [bytes(48)] * 4)
    tee_tcb_svn2: bytes = TEE_TCB_SVN  # of the platform as it is now; TD 1.5 on
    mr_service_td: bytes = bytes(48)  # TD 1.5 on

    def encode(self, body: Body) -> bytes:
        base = b"".join(
            (
                self.tee_tcb_svn,
                self.mrseam,
                self.mr_signer_seam,
                self.seam_attributes.to_bytes(8, "little"),
                self.td_attributes.to_bytes(8, "little"),
                bytes.fromhex("e702060000000000"),  # xfam
                self.mrtd,
                self.mr_config_id,
                bytes(48),  # mr_owner
                bytes(48),  # mr_owner_config
                *self.rtmrs,
                self.report_data,
            )
        )
        if body is Body.TD10:
            return base
        extended = base + self.tee_tcb_svn2 + self.mr_service_td
        return extended if body is Body.TD15 else extended.ljust(885, b"\0")


@dataclass(slots=True)
class QuoteOptions:
    """How the platform signs a report: the frame, the quoting enclave, the certification data."""

    version: int = 4
    body: Body = Body.TD10
    tee_type: int = TEE_TDX
    key_type: int = 2  # ECDSA P-256
    qe_isv_svn: int = QE_ISV_SVN
    qe_mr_signer: bytes = QE_MR_SIGNER
    qe_attributes: bytes = bytes.fromhex("1500000000000000e700000000000000")
    qe_binds_key: bool = True
    certification_type: int = 6
    chain_type: int = 5
    chain_suffix: bytes = b""


def mint(
    report: TdReport,
    pki: DcapPki,
    *,
    version: int = 4,
    body: Body = Body.TD10,
    tee_type: int = TEE_TDX,
    qe_isv_svn: int = QE_ISV_SVN,
) -> bytes:
    """A quote over `report`."""
    return sign(report, pki, QuoteOptions(version, body, tee_type, qe_isv_svn=qe_isv_svn))


def sign(report: TdReport, pki: DcapPki, options: QuoteOptions) -> bytes:
    """A quote over `report`, signed by a fresh attestation key that `pki` certifies."""
    attestation_key = ec.generate_private_key(ec.SECP256R1())
    public = _point(attestation_key)
    signed = _signed_part(report, options)
    certification = _certification(public, pki, options)
    signature = b"".join(
        (
            raw_signature(attestation_key, signed),
            public,
            struct.pack("<HI", options.certification_type, len(certification)),
            certification,
        )
    )
    return signed + struct.pack("<I", len(signature)) + signature


def _signed_part(report: TdReport, options: QuoteOptions) -> bytes:
    header = struct.pack("<HHIHH", options.version, options.key_type, options.tee_type, 0, 0)
    content = report.encode(options.body)
    if options.version == 5:
        content = struct.pack("<HI", options.body, len(content)) + content
    return header + _QE_VENDOR + bytes(20) + content


def _certification(public: bytes, pki: DcapPki, options: QuoteOptions) -> bytes:
    authentication = os.urandom(32)
    bound = hashlib.sha256(public + authentication).digest() if options.qe_binds_key else bytes(32)
    report = _qe_report(bound, options)
    chain = pki.pck.chain + options.chain_suffix
    return b"".join(
        (
            report,
            raw_signature(pki.pck.key, report),
            struct.pack("<H", len(authentication)),
            authentication,
            struct.pack("<HI", options.chain_type, len(chain)),
            chain,
        )
    )


def _qe_report(report_data: bytes, options: QuoteOptions) -> bytes:
    return b"".join(
        (
            CPU_SVN,
            bytes(4),  # misc_select
            bytes(28),
            options.qe_attributes,
            hashlib.sha256(b"simulated quoting enclave").digest(),
            bytes(32),
            options.qe_mr_signer,
            bytes(96),
            struct.pack("<HH", QE_ISV_PROD_ID, options.qe_isv_svn),
            bytes(60),
            report_data + bytes(32),
        )
    )


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoded = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return encoded[1:]


def raw_signature(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """ECDSA P-256 with SHA-256 as r‖s, 64 bytes."""
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
