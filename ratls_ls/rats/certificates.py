"""X.509 as Intel's DCAP PKI uses it: chains in PEM, leaf first.

Invariant: a chain is read only if every PEM block in it is a certificate. dcap_qvl takes a block of
any label for one, so a leaf under another label would sign what this project judged by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

_BLOCK = b"-----BEGIN"


def read_chain(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM chain; never empty. Raises ValueError."""
    try:
        chain = x509.load_pem_x509_certificates(pem)
    except x509.InvalidVersion as error:
        raise ValueError("a certificate has an unknown version") from error
    if pem.count(_BLOCK) != len(chain):
        raise ValueError("the chain holds something else than certificates")
    return chain


def common_name(certificate: x509.Certificate) -> str:
    """The one common name of the subject; empty if there is none that can be read, or several.

    Raises ValueError where the subject, which loading does not look at, is malformed.
    """
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except TypeError:  # a bit string as a name
        return ""
    return str(names[0].value) if len(names) == 1 else ""


def leads_to(chain: Sequence[x509.Certificate], root: x509.Certificate) -> bool:
    """Whether each certificate is signed by the next, up to `root`. For diagnosis: neither dates
    nor revocation are looked at."""
    for certificate, issuer in pairwise([*chain, root]):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            return False
    return True
