"""The attestation result: its wire shape, and what affirmed means."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.evidence import Evidence
from ratls_ls.rats.policy import AppraisalPolicy, Register, TcbStatus
from ratls_ls.rats.result import AttestationResult, Claim, ClaimName, ClaimVerdict, rfc3339

from .world import (
    EXPORTER,
    LIVE,
    NONCE,
    NOW,
    ORIGIN,
    OfflineBinding,
    World,
    anchor,
    collateral,
    failures,
)

CLAIMS = [
    "tls",
    "quote-format",
    "quote-signature",
    "collateral",
    "td-attributes",
    "tcb-status",
    "freshness",
    "channel-binding",
    "event-log",
    "measurements",
]


def test_the_wire_shape() -> None:
    result = replace(World().appraise(), appraised_at=1_700_000_000)
    shape = json.loads(json.dumps(result.to_json("vllm-tee")))
    assert list(shape) == [
        "verdict",
        "provider",
        "origin",
        "tee",
        "simulated",
        "tcbStatus",
        "advisoryIds",
        "channelBinding",
        "measurements",
        "claims",
        "appraisedAt",
        "collateralExpiresAt",
        "tcbEvaluationDataNumber",
        "evidenceSha256",
    ]
    assert shape["verdict"] == "affirmed"
    assert shape["provider"] == "vllm-tee"
    assert shape["origin"] == ORIGIN
    assert shape["tee"] == "tdx"
    assert shape["simulated"] is True
    assert shape["tcbStatus"] == "UpToDate"
    assert shape["advisoryIds"] == []
    assert shape["channelBinding"] == "tls-exporter"
    assert shape["appraisedAt"] == "2023-11-14T22:13:20Z"
    assert shape["collateralExpiresAt"].endswith("Z")
    assert shape["tcbEvaluationDataNumber"] == 20
    assert [claim["name"] for claim in shape["claims"]] == CLAIMS
    assert all(
        set(c) <= {"name", "verdict", "expected", "actual", "reason"} for c in shape["claims"]
    )


def test_offline_is_told_only_when_true() -> None:
    offline = World(binding=OfflineBinding()).appraise().to_json()
    assert offline["offline"] is True
    assert offline["origin"] is None
    assert offline["channelBinding"] is None


def test_a_rejection() -> None:
    shape = World(collateral=None).appraise().to_json()
    assert shape["verdict"] == "rejected"
    assert shape["simulated"] is False
    assert shape["tcbStatus"] is None
    assert shape["measurements"] == {}
    assert shape["provider"] is None
    assert {c["name"]: c["verdict"] for c in shape["claims"]}["collateral"] == "not-reached"


@pytest.mark.parametrize("name", list(ClaimName))
@pytest.mark.parametrize("verdict", [ClaimVerdict.FAILED, ClaimVerdict.NOT_REACHED])
def test_one_claim_is_enough_to_reject(name: ClaimName, verdict: ClaimVerdict) -> None:
    good = World().appraise()
    claims = tuple(Claim(name, verdict) if claim.name is name else claim for claim in good.claims)
    assert not replace(good, claims=claims).affirmed


def test_a_missing_or_repeated_claim_rejects() -> None:
    good = World().appraise()
    assert good.affirmed
    assert not replace(good, claims=()).affirmed
    assert not replace(good, claims=good.claims[:-1]).affirmed
    assert not replace(good, claims=(*good.claims, good.claims[0])).affirmed
    assert not replace(good, claims=good.claims[::-1]).affirmed


def test_the_first_and_the_last_second_of_the_calendar() -> None:
    assert rfc3339(-62_135_596_800) == "0001-01-01T00:00:00Z"
    assert rfc3339(-62_135_596_801) == "-62135596801"
    assert rfc3339(253_402_300_799) == "9999-12-31T23:59:59Z"
    assert rfc3339(253_402_300_800) == "253402300800"


@pytest.mark.parametrize("moment", [-(10**20), 10**20, 10**13, -(10**13), 2**62, 10**17])
def test_a_time_that_no_calendar_has(moment: int) -> None:
    assert replace(World().appraise(), appraised_at=moment).to_json()["appraisedAt"] is None


def test_secrets_of_the_channel_never_show() -> None:
    result = World().appraise()
    shown = f"{LIVE!r} {result!r} {json.dumps(result.to_json())}"
    for secret in (NONCE, EXPORTER):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_failed_claims_say_why_and_what_to_do() -> None:
    worlds = [
        World(collateral=collateral(platform="OutOfDate")),
        World(binding=replace(LIVE, tls_version="TLSv1.2", nonce=bytes(32))),
        World(told="{"),
        World(quote=b""),
        World(minimum_tcb_evaluation=99),
    ]
    for world in worlds:
        for claim in world.appraise().failed_claims:
            assert len(claim.reason or "") > 20
    assert len({name for world in worlds for name in failures(world.appraise())}) >= 6


def attestation(world: World) -> Attestation:
    world.quote = world.mint()
    evidence = Evidence(world.quote, json.dumps(world.log))
    return Attestation(world.appraise(), evidence, world.collateral, LIVE)


class TestAgain:
    """The same evidence under another policy, with no network."""

    def test_an_edited_policy(self) -> None:
        first = attestation(World(collateral=collateral(platform="OutOfDate")))
        assert failures(first.result) == ["tcb-status"]
        policy = AppraisalPolicy(frozenset({TcbStatus.OUT_OF_DATE}))
        again = first.under(policy, now=NOW, anchors=(anchor(),))
        assert again.result.affirmed

    def test_a_roll_back_stays_one(self) -> None:
        first = attestation(World(minimum_tcb_evaluation=21))
        again = first.under(AppraisalPolicy(), now=NOW, anchors=(anchor(),))
        assert failures(first.result) == failures(again.result) == ["collateral"]

    def test_nothing_it_rests_on_shows(self) -> None:
        shown = repr(attestation(World()))
        assert NONCE.hex() not in shown
        assert "-----BEGIN" not in shown


class TestPolicy:
    @pytest.mark.parametrize("status", list(TcbStatus))
    def test_statuses_are_read_without_case(self, status: TcbStatus) -> None:
        for text in (status.value, status.value.lower(), status.value.upper()):
            assert TcbStatus.parse(text) is status
        assert TcbStatus.parse(f" {status.value}") is None

    def test_no_other_status_is_one(self) -> None:
        for text in ("", "OK", "UpToDateWithWarnings", "TDRelaunchAdvisedConfigurationNeeded"):
            assert TcbStatus.parse(text) is None

    def test_the_default_is_strict(self) -> None:
        policy = AppraisalPolicy()
        assert policy.allowed_tcb_status == {TcbStatus.UP_TO_DATE}
        assert policy.grace_period is None
        assert not policy.require_session_binding

    @pytest.mark.parametrize("register", list(Register))
    def test_register_sizes(self, register: Register) -> None:
        assert register.size == (32 if "Hash" in register else 48)


def test_nothing_is_claimed_by_default() -> None:
    bare = AttestationResult(claims=(), origin=None, appraised_at=0)
    assert not bare.affirmed
    assert (bare.simulated, bare.offline, bare.minimum_tcb_evaluation) == (False, False, 0)
    assert bare.to_json()["appraisedAt"] == "1970-01-01T00:00:00Z"


def test_a_claim_tells_what_it_has() -> None:
    claim = Claim(ClaimName.TLS, ClaimVerdict.FAILED, reason="why", policy_key="a key")
    assert claim.to_json() == {"name": "tls", "verdict": "failed", "reason": "why"}


def test_a_claim_by_name() -> None:
    result: AttestationResult = World().appraise()
    assert [result.claim(name).name for name in ClaimName] == list(ClaimName)


@pytest.mark.parametrize(
    ("expected", "actual", "reason", "why"),
    [
        ("a", "b", "it differs", "it differs (expected a, got b)"),
        ("a", None, "it differs", "it differs (expected a, got ?)"),
        (None, "b", "it differs", "it differs (expected ?, got b)"),
        (None, None, "it differs", "it differs"),
        ("a", "b", None, "failed (expected a, got b)"),
        (None, None, None, "failed"),
    ],
)
def test_why_says_all_that_is_known(
    expected: str | None, actual: str | None, reason: str | None, why: str
) -> None:
    claim = Claim(ClaimName.TLS, ClaimVerdict.FAILED, expected, actual, reason)
    assert claim.why == why
