"""An independent reading of TCB info and QE identity, to notice when dcap_qvl's verdict changes.

After Intel, "Get TDX TCB Info" v4 and "Get TDX QE Identity" v4. Nothing here imports the product
or the library; it reads fixed offsets of a quote and the JSON of its collateral.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

_SGX_EXTENSION = ObjectIdentifier("1.2.840.113741.1.13.1")
_CPUSVN = bytes.fromhex("060b2a864886f84d010d01021204 10".replace(" ", ""))
_PCESVN = bytes.fromhex("060b2a864886f84d010d01021102")
_HEADER, _V5_BODY_FRAME = 48, 6
_BODY_BYTES_V4 = 584


def merged_status(quote: bytes, tcb_info: str, qe_identity: str) -> tuple[str, list[str]] | None:
    """(status, advisories) of platform, TDX module and QE; None where no level matches."""
    info, identity = json.loads(tcb_info), json.loads(qe_identity)
    body, rest = _split(quote)
    chain = rest[rest.index(b"-----BEGIN") :]
    cpu_svn, pce_svn = _pck(chain)
    launch = _platform(info, body[:16], cpu_svn, pce_svn)
    qe_svn = int.from_bytes(rest[4 + 64 + 64 + 6 + 258 : 4 + 64 + 64 + 6 + 260], "little")
    qe = next((lv for lv in identity["tcbLevels"] if qe_svn >= lv["tcb"]["isvsvn"]), None)
    if launch is None or qe is None:
        return None
    status, advisories = launch
    status = _converge(status, qe["tcbStatus"])
    advisories = [*advisories, *qe.get("advisoryIDs", [])]
    if len(body) > _BODY_BYTES_V4:
        now = _platform(info, body[584:600], cpu_svn, pce_svn)
        if now is None:
            return None
        current = _converge(now[0], qe["tcbStatus"])
        if status.startswith("OutOfDate") and not current.startswith(("OutOfDate", "Revoked")):
            weak = "Configuration" in status + current
            status = "TDRelaunchAdvised" + ("ConfigurationNeeded" if weak else "")
    return status, list(dict.fromkeys(advisories))


def _split(quote: bytes) -> tuple[bytes, bytes]:
    """(body, all that follows)."""
    if int.from_bytes(quote[:2], "little") == 4:
        start, size = _HEADER, _BODY_BYTES_V4
    else:
        start = _HEADER + _V5_BODY_FRAME
        size = int.from_bytes(quote[50:54], "little")
    return quote[start : start + size], quote[start + size :]


def _platform(
    info: dict[str, Any], tee_tcb_svn: bytes, cpu_svn: bytes, pce_svn: int
) -> tuple[str, list[str]] | None:
    def key(level: dict[str, Any]) -> tuple[list[int], int, list[int]]:
        tcb = level["tcb"]
        sgx = [component["svn"] for component in tcb["sgxtcbcomponents"]]
        tdx = [component["svn"] for component in tcb["tdxtcbcomponents"]]
        return sgx, tcb["pcesvn"], tdx

    module = tee_tcb_svn[1]
    for level in sorted(info["tcbLevels"], key=key, reverse=True):
        sgx, pce, tdx = key(level)
        if pce_svn < pce or any(has < wants for has, wants in zip(cpu_svn, sgx, strict=True)):
            continue
        skip = 2 if module else 0
        if any(h < w for h, w in zip(tee_tcb_svn[skip:], tdx[skip:], strict=True)):
            continue
        status, advisories = level["tcbStatus"], list(level.get("advisoryIDs", []))
        if module:
            found = _module(info, module, tee_tcb_svn[0])
            if found is None:
                return None
            status = _converge(status, found["tcbStatus"])
            advisories += found.get("advisoryIDs", [])
        return status, advisories
    return None


def _module(info: dict[str, Any], version: int, svn: int) -> dict[str, Any] | None:
    wanted = f"TDX_{version:02X}"
    for identity in info.get("tdxModuleIdentities", []):
        if identity["id"].upper() == wanted:
            levels: list[dict[str, Any]] = identity["tcbLevels"]
            return next((lv for lv in levels if svn >= lv["tcb"]["isvsvn"]), None)
    return None


def _converge(platform: str, component: str) -> str:
    if component == "Revoked":
        return "Revoked"
    if component == "OutOfDate":
        if platform in ("UpToDate", "SWHardeningNeeded"):
            return "OutOfDate"
        if platform in ("ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"):
            return "OutOfDateConfigurationNeeded"
    return platform


def _pck(pem: bytes) -> tuple[bytes, int]:
    """CPUSVN and PCESVN of the PCK certificate."""
    leaf = x509.load_pem_x509_certificates(pem.rstrip(b"\0"))[0]
    extension = leaf.extensions.get_extension_for_oid(_SGX_EXTENSION).value
    assert isinstance(extension, x509.UnrecognizedExtension)
    der = extension.value
    at = der.index(_CPUSVN) + len(_CPUSVN)
    cpu_svn = der[at : at + 16]
    at = der.index(_PCESVN) + len(_PCESVN)
    return cpu_svn, int.from_bytes(der[at + 1 : at + 1 + der[at]], "big")
