"""Steps 5 and 6 (threats C and D): how the TD was launched, how good its platform is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ratls_ls.rats.policy import AppraisalPolicy, TcbStatus
from ratls_ls.rats.result import ClaimName, ClaimVerdict
from ratls_ls.simulator.quote import SEPT_VE_DISABLE, Body, TdReport

from .world import (
    DAY,
    NOW,
    V1_REPORT_DATA,
    World,
    allowing,
    collateral,
    failures,
    not_reached,
    resigned,
)

SHOWN = {27: "LASS", 30: "PKS", 31: "KL", 62: "TPA", 63: "PERFMON"}
BODIES = [(4, Body.TD10), (5, Body.TD10), (5, Body.TD15), (5, Body.TD15_EX)]
PART = {"platform": "platform", "qe": "quoting enclave"}


def report(**fields: Any) -> TdReport:
    return TdReport(report_data=V1_REPORT_DATA, **fields)


@pytest.mark.parametrize(("version", "body"), BODIES)
def test_each_body_is_affirmed(version: int, body: Body) -> None:
    result = World(version=version, body=body).appraise()
    assert result.affirmed
    assert result.measurements["mrtd"] == TdReport().mrtd.hex()


@pytest.mark.parametrize("bit", range(64))
def test_every_attribute_bit(bit: int) -> None:
    result = World(report=report(td_attributes=SEPT_VE_DISABLE | 1 << bit)).appraise()
    claim = result.claim(ClaimName.TD_ATTRIBUTES)
    if bit == 28 or bit in SHOWN:
        assert result.affirmed
        assert SHOWN.get(bit, "0x") in (claim.actual or "")
    else:
        assert failures(result) == ["td-attributes"]
        assert claim.actual == f"{SEPT_VE_DISABLE | 1 << bit:#018x}"
        assert ("debug" if bit == 0 else f"bit {bit};") in (claim.reason or "")


@pytest.mark.parametrize(("version", "body"), BODIES)
def test_debug_is_refused_in_each_body_and_hides_nothing_else(version: int, body: Body) -> None:
    world = World(
        report=report(td_attributes=SEPT_VE_DISABLE | 1),
        version=version,
        body=body,
        policy=allowing("UpToDate", "OutOfDate"),
    )
    result = world.appraise()
    assert failures(result) == ["td-attributes"]
    assert not_reached(result) == ["tcb-status"]
    assert result.claim(ClaimName.QUOTE_SIGNATURE).verdict is ClaimVerdict.PASSED
    assert result.claim(ClaimName.CHANNEL_BINDING).verdict is ClaimVerdict.PASSED
    assert result.measurements["mrtd"] == world.report.mrtd.hex()
    assert result.simulated


def test_sept_ve_disable_must_be_on() -> None:
    result = World(report=report(td_attributes=0)).appraise()
    assert failures(result) == ["td-attributes"]
    assert "SEPT_VE_DISABLE" in (result.claim(ClaimName.TD_ATTRIBUTES).reason or "")


def test_all_harmless_attributes_together() -> None:
    bits = SEPT_VE_DISABLE | sum(1 << bit for bit in SHOWN)
    claim = World(report=report(td_attributes=bits)).appraise().claim(ClaimName.TD_ATTRIBUTES)
    assert claim.actual == f"{bits:#018x} LASS PKS KL TPA PERFMON"


class ServiceTd(TdReport):
    def encode(self, body: Body) -> bytes:
        encoded = super().encode(body)
        return encoded[:600] + b"\x01".ljust(48, b"\0") + encoded[648:]


@pytest.mark.parametrize("body", [Body.TD15, Body.TD15_EX])
def test_a_service_td_is_refused(body: Body) -> None:
    result = World(report=ServiceTd(report_data=V1_REPORT_DATA), version=5, body=body).appraise()
    assert failures(result) == ["td-attributes"]
    assert "service TD" in (result.claim(ClaimName.TD_ATTRIBUTES).reason or "")


# Statuses that Intel lists for a platform, and for a quoting enclave.
PLATFORM = [status.value for status in TcbStatus if status is not TcbStatus.TD_RELAUNCH_ADVISED]
QE = ["UpToDate", "OutOfDate", "ConfigurationNeeded", "Revoked", "OutOfDateConfigurationNeeded"]
JUDGED = [("platform", status) for status in PLATFORM] + [("qe", status) for status in QE]


@pytest.mark.parametrize(("part", "status"), JUDGED)
def test_only_up_to_date_passes_by_default(part: str, status: str) -> None:
    given = collateral(**{part: status}, advisory_ids=["INTEL-SA-00001"])
    result = World(collateral=given).appraise()
    if status == "UpToDate":
        assert result.affirmed
        return
    assert failures(result) == ["tcb-status"]
    assert result.tcb_status == status
    claim = result.claim(ClaimName.TCB_STATUS)
    if status != "Revoked":
        assert claim.policy_key == "allowed_tdx_status"
        assert (claim.expected, claim.actual) == ("UpToDate", status)
        assert status in (claim.reason or "")
        assert "INTEL-SA-00001" in (claim.reason or "")


@pytest.mark.parametrize(("part", "status"), JUDGED)
def test_a_status_passes_where_it_is_allowed_but_revoked_never(part: str, status: str) -> None:
    policy = allowing(*{"UpToDate", status})
    result = World(collateral=collateral(**{part: status}), policy=policy).appraise()
    assert result.affirmed == (status != "Revoked")
    if status == "Revoked":
        assert failures(result) == ["tcb-status"]
        assert "revoked" in (result.claim(ClaimName.TCB_STATUS).reason or "")
        assert result.measurements


@pytest.mark.parametrize(("part", "status"), JUDGED)
def test_a_status_does_not_pass_where_all_others_are_allowed(part: str, status: str) -> None:
    policy = allowing(*(set(TcbStatus) - {status}))
    result = World(collateral=collateral(**{part: status}), policy=policy).appraise()
    if (part, status) == ("qe", "UpToDate"):
        assert failures(result) == ["tcb-status"]  # merged: UpToDate
    else:
        assert failures(result) == ["tcb-status"]


def test_a_quoting_enclave_that_is_up_to_date_needs_no_leave() -> None:
    world = World(collateral=collateral(platform="OutOfDate"), policy=allowing("OutOfDate"))
    assert world.appraise().affirmed


@pytest.mark.parametrize("status", ["ConfigurationNeeded", "OutOfDateConfigurationNeeded"])
def test_the_quoting_enclaves_own_status_does_not_hide_in_the_merged_one(status: str) -> None:
    result = World(collateral=collateral(qe=status)).appraise()
    assert failures(result) == ["tcb-status"]
    assert result.tcb_status == status
    assert "quoting enclave" in (result.claim(ClaimName.TCB_STATUS).reason or "")


def test_an_empty_list_allows_nothing() -> None:
    result = World(policy=AppraisalPolicy(allowed_tcb_status=frozenset())).appraise()
    assert failures(result) == ["tcb-status"]
    assert result.claim(ClaimName.TCB_STATUS).expected == "nothing"


def test_revoked_in_the_list_is_not_shown_as_wanted() -> None:
    result = World(policy=allowing("UpToDate", "Revoked")).appraise()
    assert result.affirmed
    assert result.claim(ClaimName.TCB_STATUS).expected == "UpToDate"


@pytest.mark.parametrize(
    ("part", "status"),
    [
        ("platform", "OutOfDate"),
        ("platform", "OutOfDateConfigurationNeeded"),
        ("qe", "OutOfDate"),
        ("qe", "OutOfDateConfigurationNeeded"),
    ],
)
@pytest.mark.parametrize(("spare", "affirmed"), [(0, True), (-1, False), (DAY, True)])
def test_the_grace_period_runs_from_the_levels_date(
    part: str, status: str, spare: int, affirmed: bool
) -> None:
    given = collateral(**{part: status, "tcb_age_days": 50})
    policy = allowing("UpToDate", status, grace_period=50 * DAY + spare)
    result = World(collateral=given, policy=policy).appraise()
    assert result.affirmed == affirmed
    if not affirmed:
        assert failures(result) == ["tcb-status"]
        claim = result.claim(ClaimName.TCB_STATUS)
        assert claim.policy_key == "grace_period"
        assert (claim.reason or "").startswith(f"the {PART[part]} is {status} for longer than")
        assert (claim.expected, claim.actual) == ("at most 49 days (4319999 s)", "50 days")


def test_the_grace_period_does_not_allow_a_status() -> None:
    policy = allowing("UpToDate", grace_period=10**9)
    assert failures(World(collateral=collateral(platform="OutOfDate"), policy=policy).appraise())


def test_the_grace_period_bounds_nothing_else() -> None:
    policy = allowing("UpToDate", "ConfigurationNeeded", grace_period=0)
    for status in ("UpToDate", "ConfigurationNeeded"):
        assert World(collateral=collateral(platform=status), policy=policy).appraise().affirmed


def test_a_grace_period_of_zero_is_one() -> None:
    policy = allowing("UpToDate", "OutOfDate", grace_period=0)
    assert failures(World(collateral=collateral(platform="OutOfDate"), policy=policy).appraise())


def test_one_parts_age_is_not_the_others() -> None:
    given = collateral(platform="UpToDate", qe="OutOfDate")
    info = json.loads(given.tcb_info)
    info["tcbLevels"][0]["tcbDate"] = "2020-01-01T00:00:00Z"
    policy = allowing("UpToDate", "OutOfDate", grace_period=60 * DAY)
    assert World(collateral=resigned(given, tcb_info=info), policy=policy).appraise().affirmed


def test_advisories_are_shown_even_where_the_status_passes() -> None:
    result = World(collateral=collateral(advisory_ids=["INTEL-SA-00002"])).appraise()
    assert result.affirmed
    assert result.advisory_ids == ("INTEL-SA-00002",)
    actual = result.claim(ClaimName.TCB_STATUS).actual or ""
    assert actual.startswith("UpToDate (INTEL-SA-00002)")


def test_what_passes_is_shown_with_the_flags_that_every_real_server_has() -> None:
    result = World().appraise()
    assert result.claim(ClaimName.TD_ATTRIBUTES).actual == f"{SEPT_VE_DISABLE:#018x}"
    claim = result.claim(ClaimName.TCB_STATUS)
    assert claim.expected == "UpToDate"
    assert claim.actual == "UpToDate (dynamic platform, cached keys, smt enabled)"


@pytest.mark.parametrize(
    ("svn", "word"),
    [
        pytest.param([5, 1, 1], "too old", id="no TCB level"),
        pytest.param([5, 9, 2], "TDX module", id="unknown module"),
        pytest.param([1, 1, 2], "TDX module", id="module too old"),
    ],
)
def test_a_platform_too_old_is_said_so_and_hides_nothing_else(svn: list[int], word: str) -> None:
    world = World(report=report(tee_tcb_svn=bytes(svn) + bytes(13)))
    result = world.appraise()
    assert failures(result) == ["tcb-status"]
    assert word in (result.claim(ClaimName.TCB_STATUS).reason or "")
    assert not_reached(result) == []
    assert result.tcb_status is None
    assert result.measurements["rtmr3"] == world.report.rtmrs[3].hex()


def test_a_quoting_enclave_too_old_is_said_so() -> None:
    result = World(qe_isv_svn=0).appraise()
    assert failures(result) == ["tcb-status"]
    assert "quoting enclave" in (result.claim(ClaimName.TCB_STATUS).reason or "")
    assert "quote-signature" in not_reached(result)
    assert result.measurements == {}


class Updated(TdReport):
    """A TD 1.5 whose platform was updated under it: TEE_TCB_SVN2 is another."""

    current = bytes(16)

    def encode(self, body: Body) -> bytes:
        encoded = super().encode(body)
        return encoded[:584] + self.current + encoded[600:]


def two_levels(first: str, second: str) -> Any:
    """TCB info with a level for TDX component 2 at 2 (`first`) and one at 1 (`second`)."""
    given = collateral()
    info = json.loads(given.tcb_info)
    level = info["tcbLevels"][0]
    older = json.loads(json.dumps(level))
    older["tcb"]["tdxtcbcomponents"][2]["svn"] = 1
    level["tcbStatus"], older["tcbStatus"] = first, second
    older["tcbDate"] = "2024-01-01T00:00:00Z"
    info["tcbLevels"] = [level, older]
    return resigned(given, tcb_info=info)


def updated(launch: int, current: int) -> Updated:
    made = Updated(report_data=V1_REPORT_DATA, tee_tcb_svn=bytes([5, 1, launch]) + bytes(13))
    made.current = bytes([5, 1, current]) + bytes(13)
    return made


def td15(made: TdReport, **more: Any) -> World:
    return World(report=made, version=5, body=Body.TD15, **more)


def test_a_relaunch_is_a_status_of_its_own() -> None:
    given = two_levels("UpToDate", "OutOfDate")
    world = td15(updated(1, 2), collateral=given)
    result = world.appraise()
    assert failures(result) == ["tcb-status"]
    assert result.tcb_status == "TDRelaunchAdvised"
    assert "restart the TD" in (result.claim(ClaimName.TCB_STATUS).reason or "")
    assert (
        td15(updated(1, 2), collateral=given, policy=allowing("UpToDate", "TDRelaunchAdvised"))
        .appraise()
        .affirmed
    )
    age = NOW - 1704067200
    for grace, affirmed in ((age, True), (age - 1, False)):
        policy = allowing("UpToDate", "TDRelaunchAdvised", grace_period=grace)
        again = td15(updated(1, 2), collateral=given, policy=policy).appraise()
        assert again.affirmed == affirmed


def test_a_relaunch_with_configuration_needed_can_be_allowed_by_nothing() -> None:
    given = two_levels("ConfigurationNeeded", "OutOfDate")
    policy = allowing(*TcbStatus)
    result = td15(updated(1, 2), collateral=given, policy=policy).appraise()
    assert failures(result) == ["tcb-status"]
    assert result.tcb_status == "TDRelaunchAdvisedConfigurationNeeded"


def test_the_platform_as_it_is_now_counts_too() -> None:
    given = two_levels("UpToDate", "OutOfDate")
    result = td15(updated(2, 1), collateral=given).appraise()
    assert failures(result) == ["tcb-status"]
    assert "now" in (result.claim(ClaimName.TCB_STATUS).reason or "")
    assert result.tcb_status == "OutOfDate"
    assert td15(updated(2, 2), collateral=given).appraise().affirmed
