"""All ten claims of one quote, against the bare verification of that quote by dcap_qvl. Both take
turns in one process.
"""

from __future__ import annotations

import time

import dcap_qvl

from ratls_ls.rats import collateral as collaterals
from ratls_ls.rats.appraise import appraise
from ratls_ls.rats.binding import OfflineBinding
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.policy import AppraisalPolicy
from ratls_ls.rats.quote import TrustAnchor
from ratls_ls.simulator.collateral import make_collateral
from ratls_ls.simulator.pki import dcap_pki
from ratls_ls.simulator.quote import TdReport, mint

from .table import Row, at_most, medians


def measure(*, smoke: bool) -> list[Row]:
    pki, now = dcap_pki(), int(time.time())
    quote, collateral = mint(TdReport(), pki), make_collateral(pki, now)
    anchors = [TrustAnchor(pki.root.der, simulated=True)]
    bare = dcap_qvl.QuoteCollateralV3.from_json(collaterals.to_json(collateral))
    pairs = []
    for _ in range(10 if smoke else 300):
        started = time.perf_counter()
        appraise(
            Evidence(quote, None),
            collateral=collateral,
            policy=AppraisalPolicy(),
            binding=OfflineBinding(),
            now=now,
            anchors=anchors,
        )
        between = time.perf_counter()
        dcap_qvl.verify_with_root_ca(quote, bare, pki.root.der, now)
        pairs.append(((between - started) * 1000, (time.perf_counter() - between) * 1000))
    ours, theirs = medians(pairs)
    return [at_most(2.0, "appraisal", ours, "dcap_qvl alone", theirs, "ms")]
