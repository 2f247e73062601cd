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
    """The contents of a TD report. Registers are 48 bytes, `td_attributes` a bit field."""

    report_data: bytes = bytes(64)
    tee_tcb_svn: bytes = bytes([5, 1, 2]) + bytes(13)
    mrseam: bytes = hashlib.sha384(b"simulated TDX module").digest()
    mrtd: bytes = hashlib.sha384(b"simulated virtual firmware").digest()
    mr_config_id: bytes = bytes(48)
    rtmrs: list[bytes] = field(default_factory=lambda: [bytes(48)] * 4)
    td_attributes: int = SEPT_VE_DISABLE

    def encode(self, body: Body) -> bytes:
        base = b"".join(
            (
                self.tee_tcb_svn,
                self.mrseam,
                bytes(48),  # mr_signer_seam: Intel's modules have zeros
                bytes(8),  # seam_attributes
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
        extended = base + self.tee_tcb_svn + bytes(48)  # tee_tcb_svn2, mr_service_td
        return extended if body is Body.TD15 else extended.ljust(885, b"\0")


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
    attestation_key = ec.generate_private_key(ec.SECP256R1())
    public = _point(attestation_key)
    header = struct.pack("<HHIHH", version, 2, tee_type, 0, 0) + _QE_VENDOR + bytes(20)
    content = report.encode(body)
    if version == 5:
        content = struct.pack("<HI", body, len(content)) + content
    signed = header + content
    authentication = os.urandom(32)
    qe_report = _qe_report(hashlib.sha256(public + authentication).digest(), qe_isv_svn)
    chain = pki.pck.chain
    certification = b"".join(
        (
            qe_report,
            raw_signature(pki.pck.key, qe_report),
            struct.pack("<H", len(authentication)),
            authentication,
            struct.pack("<HI", 5, len(chain)),
            chain,
        )
    )
    signature = b"".join(
        (
            raw_signature(attestation_key, signed),
            public,
            struct.pack("<HI", 6, len(certification)),
            certification,
        )
    )
    return signed + struct.pack("<I", len(signature)) + signature


def _qe_report(report_data: bytes, isv_svn: int) -> bytes:
    attributes = bytes.fromhex("1500000000000000e700000000000000")
    return b"".join(
        (
            CPU_SVN,
            bytes(4),  # misc_select
            bytes(28),
            attributes,
            hashlib.sha256(b"simulated quoting enclave").digest(),
            bytes(32),
            QE_MR_SIGNER,
            bytes(96),
            struct.pack("<HH", QE_ISV_PROD_ID, isv_svn),
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
