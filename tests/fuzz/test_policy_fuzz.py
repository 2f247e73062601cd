"""No fix makes a policy accept more than its text does, unless its title says so."""

from __future__ import annotations

import math
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from ratls_ls.config.check import apply, check
from ratls_ls.config.problem import Fix
from ratls_ls.config.read import ProviderTable, read
from ratls_ls.rats.policy import AppraisalPolicy, TcbStatus

_OUT_OF_DATE = {TcbStatus.OUT_OF_DATE, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED}
PIN = "0123456789abcdef" * 4
REGISTER = "fedcba9876543210" * 6

STATUSES = st.sampled_from(
    [
        "UpToDate",
        "uptodate",
        "UpToDat",
        "OutOfDate",
        "OutOfDat",
        "Revoked",
        "TDRelaunchAdvised",
        "x",
    ]
)
LISTS = st.one_of(
    st.just('["UpToDate", "OutOfDate"]'),
    st.just('["UpToDate", "OutOfDat"]'),
    st.lists(STATUSES, max_size=3).map(
        lambda words: "[" + ", ".join(map('"{}"'.format, words)) + "]"
    ),
    STATUSES.map('"{}"'.format),
    st.just('["OutOfDate", 1]'),
    st.just('"OutOfDate"'),
)
STATUS_KEYS = ["allowed_tdx_status", "alowed_tdx_status", "Allowed_TDX_Status", "allowed_status"]
GRACE_KEYS = ["grace_period", "grace_perod", "grace"]
GRACES = ["60", "-1", '"60"']
PIN_KEYS = ["compose_hash", "compos_hash", "os_image_hash", "compose-hash"]
REGISTER_KEYS = [
    "expected_bootchain.mrtd",
    "expected_bootchian.mrtd",
    "mrtd",
    "min_tdx_tcb.mr_seam",
]
SWITCHES = ["use_ratls = true", "use_ratl = true", 'use_ratls = "true"', "use_ratls = false", ""]
POLICIES = ["ratls_policy", "ratls_polcy", "ratlsPolicy", "attestation"]


def mostly(words: list[str]) -> st.SearchStrategy[str]:
    """The first of `words`, which is right, more often than the others."""
    return st.one_of(st.just(words[0]), st.just(words[0]), st.sampled_from(words))


@st.composite
def configs(draw: st.DrawFn) -> str:
    """One provider with a policy, and with what can be wrong about either."""
    keys = [
        f"{draw(mostly(STATUS_KEYS))} = {draw(LISTS)}",
        f"{draw(mostly(GRACE_KEYS))} = {draw(mostly(GRACES))}",
        f'{draw(mostly(PIN_KEYS))} = "{PIN}"',
        f'{draw(mostly(REGISTER_KEYS))} = "{REGISTER}"',
        'tee_type = "tdx"',
        'pccs_url = "http://pccs.example/v4"',
    ]
    chosen = draw(st.lists(st.sampled_from(keys), unique=True))
    beside = draw(st.one_of(st.just(""), st.just(""), st.sampled_from(keys)))
    lines = ["[model_providers.tee]"]
    lines += [draw(mostly(['name = "TEE"', 'nmae = "TEE"', ""]))]
    lines += ['base_url = "https://tee.example/v1"', draw(mostly(SWITCHES))]
    lines += [] if beside in chosen else [beside]
    if chosen:
        lines += ["", f"[model_providers.tee.{draw(mostly(POLICIES))}]", *chosen]
    return "\n".join(lines) + "\n"


@given(configs(), st.data())
@settings(max_examples=200)
def test_no_sequence_of_safe_fixes_widens_a_policy(text: str, data: st.DataObject) -> None:
    first = text
    for _ in range(6):
        fixes = [fix for problem in check(read(text)) for fix in problem.fixes if fix.safe]
        if not fixes:
            break
        text = _assert_not_wider(text, data.draw(st.sampled_from(fixes)))
    _assert_text_is_kept(first, text)


@given(configs(), st.data())
@settings(max_examples=200)
def test_no_fix_widens_a_policy_without_saying_so(text: str, data: st.DataObject) -> None:
    for _ in range(6):
        fixes = [fix for problem in check(read(text)) for fix in problem.fixes]
        fixes = [fix for fix in fixes if "weakens" not in fix.title]
        if not fixes:
            break
        text = _assert_not_wider(text, data.draw(st.sampled_from(fixes)))


@given(configs(), st.data())
@settings(max_examples=200)
def test_no_sequence_of_fixes_loses_a_limit_that_stands_in_the_text(
    text: str, data: st.DataObject
) -> None:
    first = text
    for _ in range(8):
        fixes = [fix for problem in check(read(text)) for fix in problem.fixes]
        if not fixes:
            break
        text = apply(text, data.draw(st.sampled_from(fixes)).edits)
    _assert_text_is_kept(first, text)


def _assert_not_wider(text: str, fix: Fix) -> str:
    fixed = apply(text, fix.edits)
    before, after = read(text).providers["tee"], read(fixed).providers["tee"]
    if after.provider is not None:
        assert not _is_wider(after.provider.policy, _said(before)), (text, fix.title)
    return fixed


def _said(table: ProviderTable) -> AppraisalPolicy:
    """What is accepted as the text says it: by its Provider, else by what of it can be read."""
    if table.provider is not None:
        return table.provider.policy
    allowed = {found.status for found in table.allowed if found.status is not None}
    grace = re.search(r"grace\w* = (\d+)", table.pieces[0][1] + table.pieces[-1][1])
    return AppraisalPolicy(
        allowed_tcb_status=frozenset(allowed | {TcbStatus.UP_TO_DATE}),
        grace_period=int(grace[1]) if grace else None,
        pins=tuple(pin for pin, _ in table.pins),
    )


def _is_wider(policy: AppraisalPolicy, than: AppraisalPolicy) -> bool:
    if not policy.allowed_tcb_status <= than.allowed_tcb_status:
        return True
    if not set(than.pins) <= set(policy.pins):
        return True
    return bool(policy.allowed_tcb_status & _OUT_OF_DATE) and _grace(policy) > _grace(than)


def _grace(policy: AppraisalPolicy) -> float:
    return math.inf if policy.grace_period is None else policy.grace_period


def _assert_text_is_kept(before: str, after: str) -> None:
    """What was written to limit something is still there, if there is anything to limit."""
    provider = read(after).providers["tee"].provider
    if provider is None:
        return
    assert (PIN in before) == any(pin.value.hex() == PIN for pin in provider.policy.pins)
    assert (REGISTER in before) == any(pin.value.hex() == REGISTER for pin in provider.policy.pins)
    if provider.policy.allowed_tcb_status & _OUT_OF_DATE and re.search(r"grace\w* = ", before):
        assert provider.policy.grace_period is not None
