"""Collateral for the simulated platform: TCB info v3, QE identity v2, CRLs.

Shapes: Intel, "Provisioning Certification Service" v4, "Get TDX TCB Info" and "Get TD QE Identity".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ratls_ls.rats.collateral import Collateral

from .pki import CPU_SVN, FMSPC, PCE_SVN, DcapPki, Identity
from .quote import QE_ISV_PROD_ID, QE_MR_SIGNER, raw_signature

_DAY = 24 * 3600
_OLD_SVN = 1


@dataclass(slots=True)
class TcbOptions:
    """What Intel would say of the platform. `platform`, `qe` and `module` are TCB statuses; ages in
    days. `edit_*` change a document before it is signed."""

    platform: str = "UpToDate"
    qe: str = "UpToDate"
    module: str = "UpToDate"
    advisory_ids: list[str] = field(default_factory=list)
    evaluation: int = 20
    tcb_age_days: int = 30
    issued_days_ago: int = 1
    valid_days: int = 30
    crl_issued_days_ago: int = 1
    revoked_serials: tuple[int, ...] = ()  # by the platform CA
    revoked_by_root: tuple[int, ...] = ()
    edit_tcb_info: list[Callable[[dict[str, Any]], None]] = field(default_factory=list)
    edit_qe_identity: list[Callable[[dict[str, Any]], None]] = field(default_factory=list)


def make_collateral(
    pki: DcapPki, now: int, options: TcbOptions | None = None, *, signer: Identity | None = None
) -> Collateral:
    """Collateral as Intel would sign it at `now` (Unix seconds); `signer` plays someone else."""
    options = options or TcbOptions()
    signer = signer or pki.tcb_signer
    chain = signer.chain.decode("ascii")
    tcb_info = _text(_tcb_info(now, options), options.edit_tcb_info)
    identity = _text(_qe_identity(now, options), options.edit_qe_identity)
    crl_now = now - (options.crl_issued_days_ago - 1) * _DAY
    return Collateral(
        pck_crl_issuer_chain=pki.platform_ca.chain.decode("ascii"),
        root_ca_crl=pki.crl(pki.root, crl_now, revoked=options.revoked_by_root),
        pck_crl=pki.crl(pki.platform_ca, crl_now, revoked=options.revoked_serials),
        tcb_info_issuer_chain=chain,
        tcb_info=tcb_info,
        tcb_info_signature=raw_signature(signer.key, tcb_info.encode()),
        qe_identity_issuer_chain=chain,
        qe_identity=identity,
        qe_identity_signature=raw_signature(signer.key, identity.encode()),
    )


def _tcb_info(now: int, options: TcbOptions) -> dict[str, Any]:
    module = {"mrsigner": "00" * 48, "attributes": "00" * 8, "attributesMask": "FF" * 8}
    components = [{"svn": svn} for svn in CPU_SVN]
    tdx_components = [{"svn": svn} for svn in [5, 0, 2] + [0] * 13]
    level = {
        "tcb": {
            "sgxtcbcomponents": components,
            "pcesvn": PCE_SVN,
            "tdxtcbcomponents": tdx_components,
        },
        "tcbDate": _date(now - options.tcb_age_days * _DAY),
        "tcbStatus": options.platform,
    }
    if options.advisory_ids:
        level["advisoryIDs"] = options.advisory_ids
    module_level = {
        "tcb": {"isvsvn": 5},
        "tcbDate": _date(now - options.tcb_age_days * _DAY),
        "tcbStatus": options.module,
    }
    return {
        "id": "TDX",
        "version": 3,
        "issueDate": _date(now - options.issued_days_ago * _DAY),
        "nextUpdate": _date(now + (options.valid_days - options.issued_days_ago) * _DAY),
        "fmspc": FMSPC.lower(),
        "pceId": "0000",
        "tcbType": 0,
        "tcbEvaluationDataNumber": options.evaluation,
        "tdxModule": module,
        "tdxModuleIdentities": [{"id": "TDX_01", **module, "tcbLevels": [module_level]}],
        "tcbLevels": [level],
    }


def _qe_identity(now: int, options: TcbOptions) -> dict[str, Any]:
    return {
        "id": "TD_QE",
        "version": 2,
        "issueDate": _date(now - options.issued_days_ago * _DAY),
        "nextUpdate": _date(now + (options.valid_days - options.issued_days_ago) * _DAY),
        "tcbEvaluationDataNumber": options.evaluation,
        "miscselect": "00000000",
        "miscselectMask": "FFFFFFFF",
        "attributes": "11000000000000000000000000000000",
        "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
        "mrsigner": QE_MR_SIGNER.hex().upper(),
        "isvprodid": QE_ISV_PROD_ID,
        "tcbLevels": [
            {
                "tcb": {"isvsvn": _OLD_SVN},
                "tcbDate": _date(now - options.tcb_age_days * _DAY),
                "tcbStatus": options.qe,
            }
        ],
    }


def _text(document: dict[str, Any], edits: list[Callable[[dict[str, Any]], None]]) -> str:
    for edit in edits:
        edit(document)
    return json.dumps(document, separators=(",", ":"))


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
