"""Collateral for the simulated platform: TCB info v3, QE identity v2, CRLs."""

from __future__ import annotations

import json
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
    """What Intel would say of the platform. `platform` and `qe` are TCB statuses; ages in days."""

    platform: str = "UpToDate"
    qe: str = "UpToDate"
    advisory_ids: list[str] = field(default_factory=list)
    evaluation: int = 20
    tcb_age_days: int = 30
    issued_days_ago: int = 1
    valid_days: int = 30
    revoked_serials: tuple[int, ...] = ()


def make_collateral(
    pki: DcapPki, now: int, options: TcbOptions | None = None, *, signer: Identity | None = None
) -> Collateral:
    """Collateral as Intel would sign it at `now` (Unix seconds); `signer` plays someone else."""
    options = options or TcbOptions()
    signer = signer or pki.tcb_signer
    chain = signer.chain.decode("ascii")
    tcb_info = _text(_tcb_info(now, options))
    identity = _text(_qe_identity(now, options))
    return Collateral(
        pck_crl_issuer_chain=pki.platform_ca.chain.decode("ascii"),
        root_ca_crl=pki.crl(pki.root, now),
        pck_crl=pki.crl(pki.platform_ca, now, revoked=options.revoked_serials),
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
        "tcbStatus": "UpToDate",
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


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
