"""What every appraisal of this process shares: trust, collateral, clock.

Invariant: no trust anchor but Intel's is here unless the user named it as unsafe.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

from ratls_ls import bounded, private_files
from ratls_ls.config.model import Peer
from ratls_ls.rats.policy import AppraisalPolicy
from ratls_ls.rats.quote import INTEL_ROOT, TrustAnchor

from .pccs import CollateralStore

MAX_AGE_SECONDS = 30 * 60.0


class TrustError(ValueError):
    """The user erred: a file named as trusted cannot be used."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """What every appraisal of this process shares. `ca_files`: further TLS roots (PEM).
    `clock`: Unix seconds."""

    store: CollateralStore
    ca_files: tuple[Path, ...] = ()
    anchors: Sequence[TrustAnchor] = (INTEL_ROOT,)
    require_session_binding: bool = False
    max_age_seconds: float = MAX_AGE_SECONDS
    clock: Callable[[], float] = time.time

    def policy(self, peer: Peer) -> AppraisalPolicy:
        """The peer's policy, tightened by the settings."""
        if self.require_session_binding:
            return peer.policy._replace(require_session_binding=True)
        return peer.policy

    def judges_as(self, other: Verifier) -> bool:
        """Whether the two trust and require the same; where they keep collateral does not
        matter."""
        return replace(self, store=other.store) == other


def build_verifier(
    *,
    ca_files: Iterable[Path] = (),
    unsafe_root_ca: Iterable[Path] = (),
    require_session_binding: bool = False,
    max_age_seconds: float = MAX_AGE_SECONDS,
    environment: Mapping[str, str],
    cache_directory: Path | None = None,
) -> Verifier:
    """The verifier for these settings. Raises TrustError."""
    roots = [_readable(file) for file in ca_files]
    if named := environment.get("SSL_CERT_FILE"):
        roots.append(_readable(Path(named)))
    return Verifier(
        store=CollateralStore(cache_directory or private_files.cache_directory(), roots),
        ca_files=tuple(roots),
        anchors=(INTEL_ROOT, *(_anchor(file) for file in unsafe_root_ca)),
        require_session_binding=require_session_binding,
        max_age_seconds=max_age_seconds,
    )


def _readable(file: Path) -> Path:
    try:
        with warnings.catch_warnings():
            # A system's bundle may hold roots with odd serial numbers; no user can mend that.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            x509.load_pem_x509_certificates(bounded.read(file))
    except OSError as error:
        raise TrustError(f"cannot read TLS roots {file}: {error.strerror}") from error
    except ValueError as error:
        raise TrustError(f"{file} holds no PEM certificates") from error
    return file


def _anchor(file: Path) -> TrustAnchor:
    try:
        data = bounded.read(file)
        pem = data.lstrip().startswith(b"-----BEGIN")
        root = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
    except OSError as error:
        raise TrustError(f"cannot read DCAP root {file}: {error.strerror}") from error
    except ValueError as error:
        raise TrustError(f"{file} is no certificate in PEM or DER") from error
    return TrustAnchor(root.public_bytes(Encoding.DER), simulated=True)
