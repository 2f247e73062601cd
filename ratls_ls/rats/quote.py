"""DCAP quotes. The only importer of dcap_qvl.

Invariant: what is taken from a quote before its signature verified is used for nothing but
choosing collateral.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """A DCAP root CA (DER). `simulated` marks every root but Intel's; results carry it."""

    der: bytes
    simulated: bool


INTEL_ROOT: TrustAnchor


@dataclass(frozen=True, slots=True)
class CollateralKey:
    """Which collateral a quote asks for. From an unverified quote.

    `fmspc`: 12 upper-case hex digits; `ca`: "platform" or "processor"."""

    fmspc: str
    ca: str


def collateral_key(quote: bytes) -> CollateralKey:
    """Raises EvidenceError (`quote-format`) for anything but a TDX v4/v5 quote of exact length."""
    raise NotImplementedError
