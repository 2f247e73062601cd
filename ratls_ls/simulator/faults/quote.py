"""Quotes that are none, or whose TD or signer is not as it must be."""

from __future__ import annotations

from collections.abc import Callable

from ratls_ls.rats.result import ClaimName
from ratls_ls.simulator.pki import dcap_pki
from ratls_ls.simulator.quote import SEPT_VE_DISABLE, TEE_SGX, Body, TdReport
from ratls_ls.simulator.scenario import Scenario

from .fault import harmless, rejected

_OFF_BODY = 48 + 16  # somewhere in the signed body


def _reported(scenario: Scenario, **fields: object) -> None:
    def change(report: TdReport) -> TdReport:
        for name, value in fields.items():
            setattr(report, name, value)
        return report

    scenario.report.append(change)


def _minted(scenario: Scenario, edit: Callable[[bytes], bytes]) -> None:
    scenario.minted.append(edit)


@rejected(ClaimName.TD_ATTRIBUTES, 42)
def debug_td(scenario: Scenario) -> None:
    """the TD runs in debug mode: its host reads its memory"""
    _reported(scenario, td_attributes=SEPT_VE_DISABLE | 1)


@rejected(ClaimName.TD_ATTRIBUTES, 43)
def sept_ve_enabled(scenario: Scenario) -> None:
    """SEPT_VE_DISABLE is off"""
    _reported(scenario, td_attributes=0)


@rejected(ClaimName.TD_ATTRIBUTES, 44)
def migratable_td(scenario: Scenario) -> None:
    """the TD can be migrated"""
    _reported(scenario, td_attributes=SEPT_VE_DISABLE | 1 << 29)


@rejected(ClaimName.TD_ATTRIBUTES, 44)
def profiled_td(scenario: Scenario) -> None:
    """the TD can be profiled by its host"""
    _reported(scenario, td_attributes=SEPT_VE_DISABLE | 1 << 4)


@rejected(ClaimName.TD_ATTRIBUTES, 44)
def unknown_attribute(scenario: Scenario) -> None:
    """an attribute is set that nobody knows and dcap_qvl lets pass"""
    _reported(scenario, td_attributes=SEPT_VE_DISABLE | 1 << 20)


@harmless(44)
def known_attributes(scenario: Scenario) -> None:
    """the TD uses protection keys and performance counters"""
    _reported(scenario, td_attributes=SEPT_VE_DISABLE | 1 << 30 | 1 << 63)


@rejected(ClaimName.TD_ATTRIBUTES, 50)
def service_td(scenario: Scenario) -> None:
    """a service TD, which nothing attests, is bound to the TD"""
    scenario.quote_options.version, scenario.quote_options.body = 5, Body.TD15
    _reported(scenario, mr_service_td=b"\x5e" * 48)


@rejected(ClaimName.QUOTE_FORMAT, 48)
def sgx_quote(scenario: Scenario) -> None:
    """the quote is of an SGX enclave"""
    scenario.quote_options.tee_type = TEE_SGX


@harmless(49)
def quote_version_5(scenario: Scenario) -> None:
    """a quote of version 5 with a TD 1.5 report"""
    scenario.quote_options.version, scenario.quote_options.body = 5, Body.TD15


@harmless(49)
def extended_report(scenario: Scenario) -> None:
    """a quote of version 5 with an extended TD 1.5 report"""
    scenario.quote_options.version, scenario.quote_options.body = 5, Body.TD15_EX


@rejected(ClaimName.QUOTE_FORMAT, 52)
def trailing_bytes(scenario: Scenario) -> None:
    """one byte too many behind the quote"""
    _minted(scenario, lambda quote: quote + b"\0")


@rejected(ClaimName.QUOTE_FORMAT, 52)
def oversized_quote(scenario: Scenario) -> None:
    """a quote of more than 64 KiB"""
    _minted(scenario, lambda quote: quote + bytes(64 * 1024))


@rejected(ClaimName.QUOTE_FORMAT, 56)
def truncated_quote(scenario: Scenario) -> None:
    """the last byte of the quote is missing"""
    _minted(scenario, lambda quote: quote[:-1])


@rejected(ClaimName.QUOTE_FORMAT, 56)
def empty_quote(scenario: Scenario) -> None:
    """an empty quote"""
    _minted(scenario, lambda _: b"")


@rejected(ClaimName.QUOTE_FORMAT, 53)
def unknown_certification(scenario: Scenario) -> None:
    """the quoting enclave is certified in an unknown way"""
    scenario.quote_options.certification_type = 7


@rejected(ClaimName.QUOTE_FORMAT, 54)
def encrypted_platform_id(scenario: Scenario) -> None:
    """the quote names its platform certificate by an encrypted id, to be fetched"""
    scenario.quote_options.chain_type = 3


@rejected(ClaimName.QUOTE_FORMAT, 53)
def garbage_behind_the_chain(scenario: Scenario) -> None:
    """a further PEM block stands behind the platform certificate's chain"""
    scenario.quote_options.chain_suffix = b"-----BEGIN GARBAGE-----\nAAAA\n-----END GARBAGE-----\n"


@rejected(ClaimName.QUOTE_SIGNATURE, 55)
def edited_after_signing(scenario: Scenario) -> None:
    """one bit of the report was changed after it was signed"""
    _minted(
        scenario,
        lambda quote: quote[:_OFF_BODY] + bytes([quote[_OFF_BODY] ^ 1]) + quote[_OFF_BODY + 1 :],
    )


@rejected(ClaimName.QUOTE_SIGNATURE, 53)
def foreign_attestation_key(scenario: Scenario) -> None:
    """the quoting enclave does not vouch for the key that signed the quote"""
    scenario.quote_options.qe_binds_key = False


@rejected(ClaimName.QUOTE_SIGNATURE, 59)
def foreign_quoting_enclave(scenario: Scenario) -> None:
    """the quoting enclave is not Intel's"""
    scenario.quote_options.qe_mr_signer = bytes(32)


@rejected(ClaimName.QUOTE_SIGNATURE, 58)
def foreign_root(scenario: Scenario) -> None:
    """the whole platform is certified by a root that nobody trusts"""
    scenario.tcb_dcap = scenario.dcap
    scenario.dcap = dcap_pki("Another SGX Root CA")


@rejected(ClaimName.MEASUREMENTS, 10)
def other_firmware(scenario: Scenario) -> None:
    """a genuine TD with another firmware than the one pinned"""
    _reported(scenario, mrtd=b"\xee" * 48)


@rejected(ClaimName.MEASUREMENTS, 46)
def other_tdx_module(scenario: Scenario) -> None:
    """a genuine TD under another TDX module than the one pinned"""
    _reported(scenario, mrseam=b"\xee" * 48)
