"""Platforms of which Intel says something else than UpToDate, and collateral that is no good."""

from __future__ import annotations

from typing import Any

from ratls_ls.rats.result import ClaimName
from ratls_ls.simulator.pki import dcap_pki
from ratls_ls.simulator.scenario import Scenario

from .fault import harmless, rejected


@rejected(ClaimName.TCB_STATUS, 60, 62)
def out_of_date(scenario: Scenario) -> None:
    """the platform's firmware is out of date"""
    scenario.tcb.platform = "OutOfDate"


@rejected(ClaimName.TCB_STATUS, 60)
def configuration_needed(scenario: Scenario) -> None:
    """the platform is configured weakly"""
    scenario.tcb.platform = "ConfigurationNeeded"


@rejected(ClaimName.TCB_STATUS, 65, 67)
def revoked_platform(scenario: Scenario) -> None:
    """Intel revoked the platform's TCB"""
    scenario.tcb.platform = "Revoked"


@rejected(ClaimName.TCB_STATUS, 47)
def outdated_tdx_module(scenario: Scenario) -> None:
    """the TDX module is out of date"""
    scenario.tcb.module = "OutOfDate"


@rejected(ClaimName.TCB_STATUS, 63)
def weakly_configured_quoting_enclave(scenario: Scenario) -> None:
    """the quoting enclave needs configuration, which merging hides"""
    scenario.tcb.qe = "ConfigurationNeeded"


@rejected(ClaimName.TCB_STATUS, 66)
def unknown_platform_level(scenario: Scenario) -> None:
    """the platform is older than the oldest level that Intel lists"""

    def newer_only(tcb_info: dict[str, Any]) -> None:
        tcb_info["tcbLevels"][0]["tcb"]["pcesvn"] += 1

    scenario.tcb.edit_tcb_info.append(newer_only)


@harmless(64)
def advisories(scenario: Scenario) -> None:
    """the platform is up to date and an advisory stands"""
    scenario.tcb.advisory_ids.append("INTEL-SA-00001")


@harmless(61, 129)
def dynamic_platform(_scenario: Scenario) -> None:
    """a dynamic platform with cached keys and SMT, as every real server is"""


@rejected(ClaimName.QUOTE_SIGNATURE, 65)
def revoked_platform_certificate(scenario: Scenario) -> None:
    """the platform's certificate was revoked"""
    scenario.tcb.revoked_serials = (scenario.dcap.pck.certificate.serial_number,)


@rejected(ClaimName.QUOTE_SIGNATURE, 65)
def revoked_platform_ca(scenario: Scenario) -> None:
    """the CA of the platform's certificate was revoked"""
    scenario.tcb.revoked_by_root = (scenario.dcap.platform_ca.certificate.serial_number,)


@rejected(ClaimName.COLLATERAL, 58, 85)
def collateral_signed_by_a_platform(scenario: Scenario) -> None:
    """a leaked platform key signs collateral that says UpToDate"""
    scenario.tcb_signer = scenario.dcap.pck


@rejected(ClaimName.COLLATERAL, 72, 85)
def collateral_under_a_foreign_root(scenario: Scenario) -> None:
    """the collateral is signed under a root that nobody trusts"""
    scenario.tcb_dcap = dcap_pki("Another SGX Root CA")


@rejected(ClaimName.COLLATERAL, 68, 71)
def expired_collateral(scenario: Scenario) -> None:
    """the collateral has expired"""
    scenario.tcb.issued_days_ago, scenario.tcb.valid_days = 60, 30


@rejected(ClaimName.COLLATERAL, 68)
def collateral_from_the_future(scenario: Scenario) -> None:
    """the collateral counts from tomorrow"""
    scenario.tcb.issued_days_ago = -1


@rejected(ClaimName.COLLATERAL, 69)
def rolled_back_collateral(scenario: Scenario) -> None:
    """an older assessment by Intel, still in date, than one that was seen before"""
    scenario.tcb.evaluation = 19


@harmless(69)
def old_collateral(scenario: Scenario) -> None:
    """collateral of 29 days ago, still in date"""
    scenario.tcb.issued_days_ago = 29


@rejected(ClaimName.QUOTE_SIGNATURE, 68)
def expired_platform_certificate(scenario: Scenario) -> None:
    """the platform's certificate has expired"""
    scenario.dcap = scenario.dcap.with_pck(expired=True)
