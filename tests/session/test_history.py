"""What measurements are remembered, and when their change is news."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ratls_ls.history import MAX_FILE_BYTES, NEWS_SECONDS, History
from ratls_ls.rats.policy import AppraisalPolicy, Pin, Register
from ratls_ls.rats.result import AttestationResult, Claim, ClaimName, ClaimVerdict
from tests.pipes import lonely_pipe

POLICY = AppraisalPolicy()
OLD = AttestationResult(
    claims=tuple(Claim(name, ClaimVerdict.PASSED) for name in ClaimName),
    origin="https://td.example:443",
    appraised_at=1000,
    measurements={"mrtd": "aa", "rtmr3": "bb", "composeHash": "cc"},
)
NEW = replace(OLD, appraised_at=2000, measurements={"mrtd": "dd", "rtmr3": "ee"})


def test_the_first_affirmed_result_is_no_news(tmp_path: Path) -> None:
    assert History(tmp_path).observe(OLD, POLICY) is None


def test_a_change_is_news_across_sessions_until_it_is_old(tmp_path: Path) -> None:
    History(tmp_path).observe(OLD, POLICY)
    History(tmp_path).observe(replace(OLD, appraised_at=1500), POLICY)
    for seconds in (0, 10, NEWS_SECONDS):
        later = replace(NEW, appraised_at=2000 + seconds)
        change = History(tmp_path).observe(later, POLICY)
        assert change is not None
        assert change.registers == (("mrtd", "aa", "dd"),)
        assert (change.seen, change.at) == (1500, 2000)
    at_last = replace(NEW, appraised_at=2001 + NEWS_SECONDS)
    assert History(tmp_path).observe(at_last, POLICY) is None
    assert History(tmp_path).observe(NEW, POLICY) is None
    assert History(tmp_path).observe(OLD, POLICY) is not None


def test_a_change_that_is_undone_is_no_news(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.observe(OLD, POLICY)
    history.observe(NEW, POLICY)
    assert history.observe(replace(OLD, appraised_at=3000), POLICY) is None
    change = history.observe(replace(NEW, appraised_at=4000), POLICY)
    assert change is not None
    assert (change.seen, change.at) == (3000, 4000)


def test_a_pinned_register_is_no_news(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.observe(OLD, POLICY)
    pinned = AppraisalPolicy(pins=(Pin("expected_bootchain.mrtd", Register.MRTD, b"\xdd"),))
    assert history.observe(NEW, POLICY) is not None
    assert history.observe(NEW, pinned) is None
    assert history.observe(NEW, POLICY) is None


def test_comparing_remembers_nothing(tmp_path: Path) -> None:
    history = History(tmp_path)
    assert history.compare(OLD, POLICY) is None
    assert list(tmp_path.iterdir()) == []
    history.observe(OLD, POLICY)
    assert history.compare(NEW, POLICY) is not None


def test_simulated_and_genuine_are_apart_and_so_are_origins(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.observe(replace(OLD, simulated=True), POLICY)
    assert history.observe(NEW, POLICY) is None
    assert history.observe(replace(OLD, origin="https://other.example:443"), POLICY) is None
    assert history.observe(OLD, POLICY) is not None


def test_what_was_not_affirmed_is_not_remembered(tmp_path: Path) -> None:
    failed = (replace(OLD.claims[0], verdict=ClaimVerdict.FAILED), *OLD.claims[1:])
    assert History(tmp_path).observe(replace(OLD, claims=failed), POLICY) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"origin":"https://evil.example:443","measurements":{"mrtd":"00"},"seen":1}',
        '{"origin":"https://td.example:443","measurements":{"mrtd":0},"seen":1}',
        '{"origin":"https://td.example:443","measurements":{},"seen":"x"}',
        '{"origin":"https://td.example:443","measurements":[],"seen":1}',
        '"' + "x" * 100_000 + '"',
        "\udc00",
    ],
)
def test_a_corrupt_file_is_said_to_be_and_replaced(tmp_path: Path, text: str) -> None:
    History(tmp_path).observe(OLD, POLICY)
    (file,) = tmp_path.iterdir()
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    complaints: list[str] = []
    history = History(tmp_path, complaints.append)
    for _ in range(2):
        assert history.observe(NEW, POLICY) is None
    (complaint,) = complaints
    assert "https://td.example:443" in complaint
    assert complaint.endswith(f"{file}: it is damaged")
    assert History(tmp_path, complaints.append).observe(OLD, POLICY) is not None
    assert len(complaints) == 1
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_may_not_be_read_is_said_to_be(tmp_path: Path) -> None:
    History(tmp_path).observe(OLD, POLICY)
    (file,) = tmp_path.iterdir()
    file.unlink()
    file.mkdir()
    complaints: list[str] = []
    assert History(tmp_path, complaints.append).observe(NEW, POLICY) is None
    assert [complaint.rpartition(f"{file}: ")[2] for complaint in complaints] == ["no regular file"]


def test_nothing_is_said_where_nothing_was_remembered(tmp_path: Path) -> None:
    complaints: list[str] = []
    assert History(tmp_path / "none", complaints.append).observe(OLD, POLICY) is None
    assert complaints == []


def test_a_file_that_nobody_wrote_so_large_is_not_read(tmp_path: Path) -> None:
    History(tmp_path).observe(OLD, POLICY)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for size, change_is_news in ((MAX_FILE_BYTES, True), (MAX_FILE_BYTES + 1, False)):
        file.write_bytes(whole.ljust(size))
        assert (History(tmp_path).compare(NEW, POLICY) is not None) is change_is_news


def test_a_pipe_in_its_place_is_as_good_as_absent(tmp_path: Path) -> None:
    History(tmp_path).observe(OLD, POLICY)
    (file,) = tmp_path.iterdir()
    with lonely_pipe(file):
        assert History(tmp_path).observe(NEW, POLICY) is None


def test_a_directory_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history = History(tmp_path / "file")
    assert history.observe(OLD, POLICY) is None
    assert history.observe(NEW, POLICY) is not None
