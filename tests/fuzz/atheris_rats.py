"""Coverage-guided fuzzing of everything in `rats` that reads what someone else wrote.

    pip install atheris
    python tests/fuzz/atheris_rats.py quote -max_total_time=60 [a directory of inputs to start from]

Only the documented errors may come out; whatever else does is a finding, with its input in a file.
Targets: quote, log, answer, collateral.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))
with atheris.instrument_imports(include=["ratls_ls.rats"]):
    from ratls_ls.rats import collateral as collaterals
    from ratls_ls.rats.appraise import appraise
    from ratls_ls.rats.binding import OfflineBinding
    from ratls_ls.rats.errors import CollateralError, EvidenceError
    from ratls_ls.rats.event_log import parse
    from ratls_ls.rats.evidence import Evidence, parse_quote_response
    from ratls_ls.rats.policy import AppraisalPolicy

from tests.rats.world import NOW, anchor, collateral

COLLATERAL = collateral()


def quote(data: bytes) -> None:
    result = appraise(
        Evidence(data, None),
        collateral=COLLATERAL,
        policy=AppraisalPolicy(),
        binding=OfflineBinding(),
        now=NOW,
        anchors=(anchor(),),
    )
    assert result.affirmed or result.failed_claims
    result.to_json()


def log(data: bytes) -> None:
    with suppress(EvidenceError):
        parse(data.decode("utf-8", "surrogateescape"))


def answer(data: bytes) -> None:
    with suppress(EvidenceError):
        parse_quote_response(data)


def document(data: bytes) -> None:
    with suppress(CollateralError):
        given = collaterals.from_json(data.decode("utf-8", "surrogateescape"))
        collaterals.validity(given)
        collaterals.evaluation_number(given)
        collaterals.wrong_signer(given)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "quote": quote,
    "log": log,
    "answer": answer,
    "collateral": document,
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"{__doc__}")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
