"""DCAP collateral: Intel's word about a platform's TCB, as fetched from a PCCS.

Invariant: a Collateral value is well-formed text and bytes, never yet trusted.
"""

from __future__ import annotations

from dataclasses import dataclass


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


def from_json(text: str) -> Collateral:
    """Collateral from dcap-qvl's JSON form (hex for bytes). Raises CollateralError."""
    raise NotImplementedError


def to_json(collateral: Collateral) -> str:
    """dcap-qvl's JSON form."""
    raise NotImplementedError


def expires_at(collateral: Collateral) -> int:
    """Unix seconds of the earliest nextUpdate / notAfter of all parts. Raises CollateralError."""
    raise NotImplementedError
