"""A PCCS on plain HTTP: the platform's collateral at the paths of Intel's PCS v4.

Invariant: documents and issuer chains have the form in which Intel's service sends them: the
signed JSON with its hex signature beside it, chains percent-encoded in headers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

from ratls_ls.rats.collateral import Collateral

from .collateral import make_collateral
from .http import JSON, Request, Response
from .pki import FMSPC
from .scenario import Scenario

BASE_PATH = "/tdx/certification/v4"
_SGX = "/sgx/certification/v4"


def respond(scenario: Scenario, request: Request) -> Response:
    """The document asked for, with the scenario's faults."""
    response = _document(scenario, request)
    for edit in scenario.pccs:
        response = edit(request, response)
    return response


def _document(scenario: Scenario, request: Request) -> Response:
    document = _ROUTES.get(request.path)
    if document is None or request.method != "GET" or not _asks_for_this_platform(request):
        return Response(404, [("Content-Type", "text/plain")], b"no such document")
    return document(collateral_of(scenario, int(time.time())))


def collateral_of(scenario: Scenario, now: int) -> Collateral:
    """The platform's collateral as issued for `now` (Unix seconds)."""
    return make_collateral(
        scenario.tcb_dcap or scenario.dcap, now, scenario.tcb, signer=scenario.tcb_signer
    )


def _asks_for_this_platform(request: Request) -> bool:
    query = request.query
    if request.path == f"{BASE_PATH}/tcb":
        return query.get("fmspc", "").upper() == FMSPC
    if request.path == f"{_SGX}/pckcrl":
        return (query.get("ca"), query.get("encoding")) == ("platform", "der")
    return True


def _tcb(collateral: Collateral) -> Response:
    return _signed(
        "tcbInfo",
        collateral.tcb_info,
        collateral.tcb_info_signature,
        ("TCB-Info-Issuer-Chain", collateral.tcb_info_issuer_chain),
    )


def _qe_identity(collateral: Collateral) -> Response:
    return _signed(
        "enclaveIdentity",
        collateral.qe_identity,
        collateral.qe_identity_signature,
        ("SGX-Enclave-Identity-Issuer-Chain", collateral.qe_identity_issuer_chain),
    )


def _pck_crl(collateral: Collateral) -> Response:
    chain = ("SGX-PCK-CRL-Issuer-Chain", quote(collateral.pck_crl_issuer_chain))
    return Response(200, [("Content-Type", "application/pkix-crl"), chain], collateral.pck_crl)


def _root_ca_crl(collateral: Collateral) -> Response:
    # As Intel's PCCS sends it: the DER in hex.
    return Response(200, [("Content-Type", "text/plain")], collateral.root_ca_crl.hex().encode())


def _signed(key: str, text: str, signature: bytes, chain: tuple[str, str]) -> Response:
    body = f'{{"{key}":{text},"signature":"{signature.hex()}"}}'.encode()
    name, pem = chain
    return Response(200, [("Content-Type", JSON), (name, quote(pem))], body)


_ROUTES: dict[str, Callable[[Collateral], Response]] = {
    f"{BASE_PATH}/tcb": _tcb,
    f"{BASE_PATH}/qe/identity": _qe_identity,
    f"{_SGX}/pckcrl": _pck_crl,
    f"{_SGX}/rootcacrl": _root_ca_crl,
}
