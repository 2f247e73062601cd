"""What each TCB status means, of which advice is given and a grace period counts."""

from __future__ import annotations

from ratls_ls.rats.policy import TcbStatus
from ratls_ls.rats.statuses import MEANINGS, OUT_OF_DATE

LACK_FIXES = {TcbStatus.OUT_OF_DATE, TcbStatus.OUT_OF_DATE_CONFIGURATION_NEEDED}


def test_each_has_a_meaning() -> None:
    assert set(MEANINGS) == set(TcbStatus)


def test_weak_is_what_lacks_fixes_or_still_runs_without_them() -> None:
    weak = {status for status, meaning in MEANINGS.items() if meaning.weak}
    assert weak == LACK_FIXES | {TcbStatus.TD_RELAUNCH_ADVISED, TcbStatus.REVOKED}


def test_a_grace_period_limits_what_lacks_fixes() -> None:
    assert OUT_OF_DATE == LACK_FIXES
