"""What every appraisal of this process shares: trust, collateral, clock.

Invariant: no trust anchor but Intel's is here unless the user named it as unsafe; what a file that
is trusted holds counts as it is at each moment, not as it was at the start.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

from ratls_ls import bounded, private_files
from ratls_ls.config.model import Peer
from ratls_ls.rats.policy import AppraisalPolicy
from ratls_ls.rats.quote import INTEL_ROOT, TrustAnchor
from ratls_ls.stamps import Stamp, stamp_at

from .pccs import CollateralStore

MAX_AGE_SECONDS = 30 * 60.0


class TrustError(ValueError):
    """The user erred: a file named as trusted cannot be used."""


@dataclass(frozen=True, slots=True)
class UnsafeRoot:
    """A DCAP root that is not Intel's, and the file that it was read from. `stamp`: of that then;
    None for a pipe, which gives what it has once."""

    file: Path
    stamp: Stamp | None
    anchor: TrustAnchor

    @property
    def now(self) -> TrustAnchor | None:
        """What the file holds now; None if that is no root."""
        stamp = stamp_at(self.file)
        if stamp == self.stamp:
            return self.anchor
        return _read_again(self.file, stamp) if stamp is not None else None


@dataclass(frozen=True, slots=True)
class Verifier:
    """What every appraisal of this process shares. `ca_files`: further TLS roots (PEM).
    `clock`: Unix seconds."""

    store: CollateralStore
    ca_files: tuple[Path, ...] = ()
    unsafe_roots: tuple[UnsafeRoot, ...] = ()
    require_session_binding: bool = False
    max_age_seconds: float = MAX_AGE_SECONDS
    clock: Callable[[], float] = time.time

    def policy(self, peer: Peer) -> AppraisalPolicy:
        """The peer's policy, tightened by the settings."""
        if self.require_session_binding:
            return peer.policy._replace(require_session_binding=True)
        return peer.policy

    @property
    def anchors(self) -> tuple[TrustAnchor, ...]:
        """The DCAP roots."""
        unsafe = (root.now for root in self.unsafe_roots)
        return (INTEL_ROOT, *(anchor for anchor in unsafe if anchor is not None))

    @property
    def terms(self) -> tuple[object, ...]:
        """What it trusts and requires: who has equal ones judges alike."""
        roots = tuple((file, stamp_at(file)) for file in self.ca_files)
        return (roots, self.anchors, self.require_session_binding, self.max_age_seconds, self.clock)


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
        unsafe_roots=tuple(
            UnsafeRoot(file, stamp_at(file), _anchor(file, bounded.read)) for file in unsafe_root_ca
        ),
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


@lru_cache(maxsize=8)
def _read_again(file: Path, _stamp: Stamp) -> TrustAnchor | None:
    try:
        return _anchor(file, bounded.read_file)
    except TrustError:
        return None


def _anchor(file: Path, read: Callable[[Path], bytes]) -> TrustAnchor:
    try:
        data = read(file)
        pem = data.lstrip().startswith(b"-----BEGIN")
        root = x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
    except OSError as error:
        raise TrustError(f"cannot read DCAP root {file}: {error.strerror}") from error
    except ValueError as error:
        raise TrustError(f"{file} is no certificate in PEM or DER") from error
    return TrustAnchor(root.public_bytes(Encoding.DER), simulated=True)
