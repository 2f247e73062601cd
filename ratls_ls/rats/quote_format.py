"""The frame of a TDX quote: version, TEE and every length.

Invariant: whatever passes is a TDX quote v4 or v5 without one byte between or behind its parts.
dcap_qvl tolerates such bytes, and up to a MiB of them.
"""

from __future__ import annotations

import struct

from .errors import EvidenceError
from .evidence import MAX_QUOTE_BYTES
from .result import ClaimName

# Intel, "TDX DCAP Quoting Library API", quote format v4 (A.3) and v5 (A.4).
_HEADER = struct.Struct("<HHIHH")
_HEADER_BYTES = 48
_VERSION_SGX = 3
_VERSIONS = (4, 5)
_ATTESTATION_KEY_ECDSA_P256 = 2
_TEE_SGX = 0
_TEE_TDX = 0x81
_BODY_BYTES_V4 = 584
_BODY_BYTES_V5 = {2: 584, 3: 648, 4: 885}  # body type: TD 1.0, TD 1.5, TD 1.5 extended
_SIGNATURE_AND_KEY_BYTES = 64 + 64
_QE_REPORT_AND_SIGNATURE_BYTES = 384 + 64
_CERTIFICATION_QE_REPORT = 6
_CERTIFICATION_PCK_CHAIN = 5


def check_format(quote: bytes) -> None:
    """Raises EvidenceError (`quote-format`) for anything but a TDX quote of exact length."""
    if len(quote) > MAX_QUOTE_BYTES:
        raise malformed(
            "the quote is too large",
            expected=f"at most {MAX_QUOTE_BYTES} bytes",
            actual=f"{len(quote)} bytes",
        )
    reader = _Reader(quote)
    version = _header(reader)
    reader.take(_BODY_BYTES_V4 if version == 4 else _v5_body(reader))
    signed = _Reader(reader.take(reader.number("<I")))
    reader.finish()
    signed.take(_SIGNATURE_AND_KEY_BYTES)
    outer = _Reader(signed.certification(_CERTIFICATION_QE_REPORT))
    signed.finish()
    outer.take(_QE_REPORT_AND_SIGNATURE_BYTES)
    outer.take(outer.number("<H"))
    outer.certification(_CERTIFICATION_PCK_CHAIN)
    outer.finish()


def malformed(
    reason: str, *, expected: str | None = None, actual: str | None = None
) -> EvidenceError:
    return EvidenceError(ClaimName.QUOTE_FORMAT, reason, expected=expected, actual=actual)


def _header(reader: _Reader) -> int:
    """The version."""
    version, key_type, tee, _, _ = _HEADER.unpack(reader.take(_HEADER_BYTES)[: _HEADER.size])
    if tee == _TEE_SGX and version in (_VERSION_SGX, *_VERSIONS):
        raise malformed("this is an SGX quote, of an enclave", expected="TDX", actual="SGX")
    if version not in _VERSIONS:
        raise malformed("unknown quote version", expected="4 or 5", actual=str(version))
    if tee != _TEE_TDX:
        raise malformed("no TDX quote", expected=f"TEE type {_TEE_TDX:#x}", actual=f"{tee:#x}")
    if key_type != _ATTESTATION_KEY_ECDSA_P256:
        raise malformed(
            "unknown attestation key type", expected="2 (ECDSA P-256)", actual=str(key_type)
        )
    return int(version)


def _v5_body(reader: _Reader) -> int:
    """The length of the body that follows."""
    body_type, size = reader.number("<H"), reader.number("<I")
    if _BODY_BYTES_V5.get(body_type) != size:
        raise malformed(
            "unknown quote body",
            expected="TD 1.0, TD 1.5 or TD 1.5 extended",
            actual=f"type {body_type} of {size} bytes",
        )
    return size


class _Reader:
    """Takes exact lengths off bytes; no length in them is believed beyond their end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        part = self._data[self._at : self._at + size]
        if len(part) != size:
            raise malformed(
                "the quote is cut short",
                expected=f"{size} bytes at byte {self._at} of this part",
                actual=f"{len(part)} bytes",
            )
        self._at += size
        return part

    def number(self, form: str) -> int:
        value: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def certification(self, wanted: int) -> bytes:
        found = self.number("<H")
        if found != wanted:
            raise malformed(
                "unsupported certification data: the quote must carry its PCK certificate chain",
                expected=f"type {wanted}",
                actual=f"type {found}",
            )
        return self.take(self.number("<I"))

    def finish(self) -> None:
        if self._at != len(self._data):
            raise malformed(
                "the quote is longer than its parts",
                expected=f"{self._at} bytes",
                actual=f"{len(self._data)} bytes",
            )
