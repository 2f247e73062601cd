"""Real quotes and logs: each gets the verdict and the registers that are recorded for it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from ratls_ls.rats import collateral as collaterals
from ratls_ls.rats.appraise import appraise
from ratls_ls.rats.binding import OfflineBinding
from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.event_log import parse
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.policy import AppraisalPolicy, Pin, Register
from ratls_ls.rats.quote import INTEL_ROOT, collateral_key
from ratls_ls.rats.result import AttestationResult, ClaimName, ClaimVerdict
from tests.vectors import Vector, edited_logs, needed, vectors

from .tcb_matching import merged_status
from .world import LIVE, allowing, failures

pytestmark = needed
CASES = [
    pytest.param(vector, entry, id=f"{vector.name}-{entry['verify_at']}")
    for vector in vectors()
    for entry in vector.collaterals
]
GOOD = [case for case in CASES if case.values[1]["status"] == "UpToDate"]
WITH_LOG = [pytest.param(vector, id=vector.name) for vector in vectors() if vector.event_log]
NO_COLLATERAL = [
    pytest.param(vector, id=vector.name) for vector in vectors() if not vector.collaterals
]
REGISTERS = {
    "mrtd": "mr_td",
    "mrseam": "mr_seam",
    **{f"rtmr{index}": f"rt_mr{index}" for index in range(4)},
}
# What dcap_qvl says of the quotes it refuses, and the claim that is reported for it.
REFUSED = {
    "Debug mode is enabled": "td-attributes",
    "SEPT_VE_DISABLE is not enabled": "td-attributes",
    "Invalid MR service TD": "td-attributes",
    "No matching TCB level found": "tcb-status",
}
MALFORMED = {
    "sgx-tdx-dcap-quoteverificationlibrary-quote-aa2cafad": "certif",
    "trust-center-phalacloudkmsverifier-6f8e92b8": "certif",
}


def judge(
    vector: Vector,
    entry: dict[str, Any],
    policy: AppraisalPolicy | None = None,
    *,
    report_data: bytes | None = None,
) -> AttestationResult:
    return appraise(
        Evidence(vector.quote, vector.event_log),
        collateral=collateral(vector, entry),
        policy=policy or AppraisalPolicy(),
        binding=OfflineBinding(report_data),
        now=entry["verify_at"],
    )


def collateral(vector: Vector, entry: dict[str, Any]) -> collaterals.Collateral:
    return collaterals.from_json((vector.directory / entry["file"]).read_text("utf-8"))


def test_the_root_is_the_one_that_intel_publishes() -> None:
    digest = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"
    assert hashlib.sha256(INTEL_ROOT.der).hexdigest() == digest
    assert not INTEL_ROOT.simulated


@pytest.mark.parametrize(("vector", "entry"), CASES)
def test_status_registers_and_reasons(vector: Vector, entry: dict[str, Any]) -> None:
    result = judge(vector, entry)
    expected = vector.meta["expected"]
    for ours, theirs in REGISTERS.items():
        assert result.measurements[ours] == expected[theirs]
    assert not result.simulated
    signature = result.claim(ClaimName.QUOTE_SIGNATURE)
    assert signature.verdict is ClaimVerdict.PASSED
    assert signature.actual == "verified under Intel's root"
    if entry["status"].startswith("ERROR"):
        cause = entry["status"].removeprefix("ERROR: Verification failed: ")
        # This one is bound to a service TD as well, which dcap_qvl never comes to.
        also = ["td-attributes"] if vector.name.startswith("trustee-tdx-quote-5") else []
        assert failures(result) == [*also, REFUSED[cause]]
        assert result.tcb_status is None
        return
    assert result.tcb_status == entry["status"]
    assert sorted(result.advisory_ids) == sorted(entry["advisories"])
    assert result.tcb_evaluation_data_number == lower_evaluation(collateral(vector, entry))
    assert failures(result) == ([] if entry["status"] == "UpToDate" else ["tcb-status"])
    allowed = judge(vector, entry, allowing(entry["status"]))
    assert allowed.affirmed


def lower_evaluation(given: collaterals.Collateral) -> int:
    documents = (json.loads(given.tcb_info), json.loads(given.qe_identity))
    return min(document["tcbEvaluationDataNumber"] for document in documents)


@pytest.mark.parametrize(("vector", "entry"), CASES)
def test_an_independent_reading_of_the_tcb_agrees(vector: Vector, entry: dict[str, Any]) -> None:
    given = collateral(vector, entry)
    own = merged_status(vector.quote, given.tcb_info, given.qe_identity)
    if "No matching TCB level" in entry["status"]:
        assert own is None
        return
    assert own is not None
    result = judge(vector, entry)
    if result.tcb_status is not None:
        assert (result.tcb_status, sorted(result.advisory_ids)) == (own[0], sorted(own[1]))


@pytest.mark.parametrize("vector", [pytest.param(v, id=v.name) for v in vectors()])
def test_the_collateral_key(vector: Vector) -> None:
    if vector.name in MALFORMED:
        with pytest.raises(EvidenceError, match=MALFORMED[vector.name]) as caught:
            collateral_key(vector.quote)
        assert caught.value.claim is ClaimName.QUOTE_FORMAT
        return
    key = collateral_key(vector.quote)
    assert (key.fmspc, key.ca) == (vector.meta["expected"]["fmspc"], vector.meta["expected"]["ca"])


@pytest.mark.parametrize("vector", NO_COLLATERAL)
def test_without_collateral_nothing_is_claimed(vector: Vector) -> None:
    result = appraise(
        Evidence(vector.quote, vector.event_log),
        collateral=None,
        policy=AppraisalPolicy(),
        binding=OfflineBinding(),
        now=1_763_638_730,
    )
    assert not result.affirmed
    assert result.measurements == {}
    assert result.claim(ClaimName.QUOTE_SIGNATURE).verdict is ClaimVerdict.NOT_REACHED
    assert failures(result) == (["quote-format"] if vector.name in MALFORMED else [])


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("trustee-tdx-quote-4-6fb27f35", "trusted DCAP root"),
        ("dstack-teekit-tdxv4tappd-f185dfdc", "forgery"),
    ],
)
def test_forged_quotes_are_said_to_be(name: str, word: str) -> None:
    vector = next(vector for vector in vectors() if vector.name == name)
    other = next(vector for vector in vectors() if vector.name == "mpc-quote-b9e238b2")
    entry = other.collaterals[0]
    result = appraise(
        Evidence(vector.quote),
        collateral=collateral(other, entry),
        policy=AppraisalPolicy(),
        binding=OfflineBinding(),
        now=entry["verify_at"],
    )
    assert failures(result) == ["quote-signature"]
    assert word in (result.claim(ClaimName.QUOTE_SIGNATURE).reason or "")
    assert result.measurements == {}


@pytest.mark.parametrize("vector", WITH_LOG)
def test_real_logs_replay_and_tell_the_compose_hash(vector: Vector) -> None:
    expected = vector.meta["expected"]
    assert vector.event_log is not None
    log = parse(vector.event_log)
    assert [value.hex() for value in log.rtmrs] == [expected[f"rt_mr{index}"] for index in range(4)]
    assert [event.name for event in log.runtime_events] == expected["runtime_events"]
    told = log.boot_value("compose-hash")
    assert (told.hex() if told else None) == expected["compose_hash"]
    image = log.boot_value("os-image-hash")
    assert (image.hex() if image else None) == expected["os_image_hash"]


@pytest.mark.parametrize(("vector", "entry"), CASES)
def test_on_a_channel_runtime_events_want_a_log(vector: Vector, entry: dict[str, Any]) -> None:
    """The real logs are there: they are needed where RTMR3 is not zero, and only then."""
    kept_back = Evidence(vector.quote)
    for evidence in (Evidence(vector.quote, vector.event_log), kept_back):
        result = appraise(
            evidence,
            collateral=collateral(vector, entry),
            policy=AppraisalPolicy(),
            binding=LIVE,
            now=entry["verify_at"],
        )
        silent = not any(bytes.fromhex(vector.meta["expected"]["rt_mr3"]))
        told = evidence.event_log is not None
        assert ("event-log" in failures(result)) == (not told and not silent)


@pytest.mark.parametrize(
    ("vector", "entry"), [case for case in GOOD if case.values[0].event_log is not None]
)
def test_real_app_compose_text_is_hashed_raw(vector: Vector, entry: dict[str, Any]) -> None:
    file = vector.directory / "app_compose.json"
    digest = (
        hashlib.sha256(file.read_bytes()).digest()
        if file.exists()
        else bytes.fromhex(vector.meta["expected"]["compose_hash"])
    )
    for value, affirmed in ((digest, True), (digest[::-1], False)):
        policy = AppraisalPolicy(pins=(Pin("app_compose", Register.COMPOSE_HASH, value),))
        result = judge(vector, entry, policy)
        assert result.affirmed == affirmed
        assert failures(result) == ([] if affirmed else ["measurements"])


@pytest.mark.parametrize(("vector", "entry"), GOOD)
def test_report_data_of_real_quotes(vector: Vector, entry: dict[str, Any]) -> None:
    known = bytes.fromhex(vector.meta["expected"]["report_data"])
    assert judge(vector, entry, report_data=known).affirmed
    wrong = known[:-1] + bytes([known[-1] ^ 1])
    assert failures(judge(vector, entry, report_data=wrong)) == ["freshness"]


# Verdicts as the README of the vectors has them.
ACCEPTED_LOGS = ("00", "04", "06", "09")


@pytest.mark.parametrize("path", edited_logs(), ids=lambda path: path.stem)
def test_edited_logs(path: Any) -> None:
    vector = next(vector for vector in vectors() if vector.name == "mpc-quote-b9e238b2")
    entry = vector.collaterals[0]
    result = appraise(
        Evidence(vector.quote, path.read_text("utf-8")),
        collateral=collateral(vector, entry),
        policy=AppraisalPolicy(),
        binding=OfflineBinding(),
        now=entry["verify_at"],
    )
    original = vector.meta["expected"]["compose_hash"]
    assert failures(result) == ([] if path.stem[:2] in ACCEPTED_LOGS else ["event-log"])
    # Whatever the log says, the hash is the one that the quote signs.
    assert result.measurements["composeHash"] == original


@pytest.mark.parametrize(("vector", "entry"), CASES)
def test_collateral_counts_inside_its_window_only(vector: Vector, entry: dict[str, Any]) -> None:
    given = collateral(vector, entry)
    window = collaterals.validity(given)
    assert window.starts <= entry["valid_from"]  # which counts the quote's own certificate in
    assert window.ends == entry["valid_to"]
    for now, in_date in (
        (window.starts - 1, False),
        (window.starts, True),
        (window.ends - 1, True),
        (window.ends, False),
        (-1, False),
        (2**63, False),
        (2**200, False),
        (-(2**70), False),
    ):
        result = appraise(
            Evidence(vector.quote),
            collateral=given,
            policy=AppraisalPolicy(),
            binding=OfflineBinding(),
            now=now,
        )
        assert (result.claim(ClaimName.COLLATERAL).verdict is ClaimVerdict.PASSED) == in_date
        json.dumps(result.to_json())
