"""The two PKIs of a simulation: one in the shape of Intel's for DCAP, one for TLS.

Invariant: every key is made anew in this process and never leaves it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

# A platform that Intel never made: "SIMULA" in ASCII.
FMSPC = b"SIMULA".hex().upper()
CPU_SVN = bytes([4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0])
PCE_SVN = 11
TCB_SIGNER = "Intel SGX TCB Signing"
_SGX_EXTENSION = x509.ObjectIdentifier("1.2.840.113741.1.13.1")
# Intel, "SGX PCK Certificate and CRL Profile", 1.3.5: the extension of a real platform certificate
# in DER, with a PPID and platform instance of zeros and the FMSPC above.
_SGX_EXTENSION_DER = bytes.fromhex(
    "30820226301e060a2a864886f84d010d0101041000000000000000000000000000000000"
    "30820163060a2a864886f84d010d0102308201533010060b2a864886f84d010d01020102"
    "01043010060b2a864886f84d010d0102020201043010060b2a864886f84d010d01020302"
    "01023010060b2a864886f84d010d0102040201023010060b2a864886f84d010d01020502"
    "01043010060b2a864886f84d010d0102060201013010060b2a864886f84d010d01020702"
    "01003010060b2a864886f84d010d0102080201053010060b2a864886f84d010d01020902"
    "01003010060b2a864886f84d010d01020a0201003010060b2a864886f84d010d01020b02"
    "01003010060b2a864886f84d010d01020c0201003010060b2a864886f84d010d01020d02"
    "01003010060b2a864886f84d010d01020e0201003010060b2a864886f84d010d01020f02"
    "01003010060b2a864886f84d010d0102100201003010060b2a864886f84d010d01021102"
    "010b301f060b2a864886f84d010d01021204100404020204010005000000000000000030"
    "10060a2a864886f84d010d0103040200003014060a2a864886f84d010d01040406"
    + FMSPC
    + "300f060a2a864886f84d010d01050a0101301e060a2a864886f84d010d01060410000000"
    "000000000000000000000000003044060a2a864886f84d010d010730363010060b2a8648"
    "86f84d010d0107010101ff3010060b2a864886f84d010d0107020101ff3010060b2a8648"
    "86f84d010d0107030101ff"
)
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key; `chain` is PEM from this certificate up to its root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: bytes

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True, slots=True)
class DcapPki:
    """Root, platform CA, PCK leaf and TCB signer, named as Intel names its own."""

    root: Identity
    platform_ca: Identity
    pck: Identity
    tcb_signer: Identity

    def with_pck(self, *, expired: bool = False, issuer: Identity | None = None) -> DcapPki:
        """The same with another platform certificate, from `issuer` if it is not the CA."""
        return replace(self, pck=_pck(issuer or self.platform_ca, expired=expired))

    def crl(
        self,
        issuer: Identity,
        now: int,
        *,
        revoked: tuple[int, ...] = (),
        scope: x509.IssuingDistributionPoint | None = None,
    ) -> bytes:
        """A CRL (DER) of `issuer` valid for 30 days around `now` (Unix seconds). `scope`: of what
        it is, if not of all that is issued."""
        moment = datetime.fromtimestamp(now, UTC)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(moment - timedelta(days=1))
            .next_update(moment + timedelta(days=29))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False
            )
            .add_extension(x509.CRLNumber(1), False)
        )
        if scope is not None:
            builder = builder.add_extension(scope, critical=True)
        for serial in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial)
            builder = builder.add_revoked_certificate(
                entry.revocation_date(moment - timedelta(days=2)).build()
            )
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


@dataclass(frozen=True, slots=True)
class Pki:
    """All that a provider is certified by. Shared by two providers, one can attack the other."""

    dcap: DcapPki
    web: Identity


def shared_pki() -> Pki:
    """One of each kind a process: making keys is the slow part."""
    return Pki(dcap_pki(), web_ca())


@lru_cache(maxsize=4)
def dcap_pki(name: str = "Simulated SGX Root CA") -> DcapPki:
    """One PKI a process and name of its root."""
    root = _issue(name, None, ca=True)
    platform_ca = _issue("Intel SGX PCK Platform CA", root, ca=True)
    return DcapPki(root, platform_ca, _pck(platform_ca), _issue(TCB_SIGNER, root))


@lru_cache(maxsize=4)
def web_ca(name: str = "Simulated Web CA") -> Identity:
    """A CA for TLS, one a process and name."""
    return _issue(name, None, ca=True)


def web_leaf(
    ca: Identity | None,
    *,
    names: tuple[str, ...] = ("localhost",),
    names_der: bytes = b"",
    expired: bool = False,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> Identity:
    """A TLS certificate for `names`, for the loopback addresses too if one is localhost;
    self-signed if there is no CA. `names_der`: a SubjectAltName as such, instead. Without `names`
    it has a common name alone."""
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    if "localhost" in names:
        alternatives += [
            x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")
        ]
    extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.ExtendedKeyUsage([usage]), False)]
    if names_der:
        san = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, names_der)
        extensions.append((san, False))
    elif alternatives:
        extensions.append((x509.SubjectAlternativeName(alternatives), False))
    return _issue("localhost", ca, extensions=extensions, expired=expired)


def _pck(issuer: Identity, *, expired: bool = False) -> Identity:
    return _issue(
        "Intel SGX PCK Certificate",
        issuer,
        extensions=[(x509.UnrecognizedExtension(_SGX_EXTENSION, _SGX_EXTENSION_DER), False)],
        expired=expired,
    )


def _issue(
    name: str,
    issuer: Identity | None,
    *,
    ca: bool = False,
    extensions: list[tuple[x509.ExtensionType, bool]] | None = None,
    expired: bool = False,
) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer.key if issuer is not None else key
    start = datetime.now(UTC) - timedelta(days=200)
    end = start + timedelta(days=100) if expired else start + 10 * _YEAR
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer is not None else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
        .add_extension(_key_usage(ca), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
        )
    )
    for extension, critical in extensions or []:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(signer, hashes.SHA256())
    pem = certificate.public_bytes(Encoding.PEM)
    return Identity(certificate, key, pem + (issuer.chain if issuer is not None else b""))


def _key_usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
