"""Steps 1, 7 and 8 (threats A and B): evidence is for this connection and ends where it ends."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from ratls_ls.rats.result import ChannelBindingType, ClaimName, ClaimVerdict
from ratls_ls.simulator.quote import TdReport

from .world import (
    EXPORTER,
    LEAF,
    LIVE,
    NONCE,
    V0_REPORT_DATA,
    V1_REPORT_DATA,
    AppraisalPolicy,
    OfflineBinding,
    World,
    failures,
    log,
    logs,
    v0,
)

BINDING = ["freshness", "channel-binding"]


def test_a_quote_for_this_session_is_affirmed() -> None:
    result = World().appraise()
    assert result.affirmed
    assert result.channel_binding is ChannelBindingType.TLS_EXPORTER
    assert {claim.verdict for claim in result.claims} == {ClaimVerdict.PASSED}


def test_a_quote_for_this_session_needs_no_log_of_events_that_there_are_not() -> None:
    result = World(log=None).appraise()
    assert result.affirmed
    assert result.claim(ClaimName.EVENT_LOG).verdict is ClaimVerdict.NOT_REQUIRED


@pytest.mark.parametrize(
    "registers",
    [
        pytest.param(logs.replay(log(leaf=b"the genuine server's")), id="another certificate"),
        pytest.param(logs.replay(log()), id="this certificate"),
        pytest.param([bytes(48)] * 3 + [bytes(47) + b"\1"], id="one bit"),
    ],
)
def test_runtime_events_that_are_kept_back_may_announce_another_certificate(
    registers: list[bytes],
) -> None:
    """Whoever stands in the middle of a server that quotes for anyone leaves the log out."""
    world = World(log=None)
    world.report.rtmrs = registers
    result = world.appraise()
    assert failures(result) == ["event-log"]
    assert "RTMR3" in (result.claim(ClaimName.EVENT_LOG).reason or "")
    world.binding = OfflineBinding()
    assert world.appraise().affirmed


def test_what_booted_needs_no_log() -> None:
    world = World(log=None)
    world.report.rtmrs = [*logs.replay(log())[:3], bytes(48)]
    assert world.appraise().affirmed


def test_the_first_generation_is_bound_by_the_log() -> None:
    result = v0().appraise()
    assert result.affirmed
    assert result.channel_binding is ChannelBindingType.CERTIFICATE_LOG


@pytest.mark.parametrize("tls_version", ["TLSv1.2", "TLSv1.1", "", "TLSv1.3 ", "tlsv1.3", "TLS1.3"])
def test_only_tls_1_3(tls_version: str) -> None:
    result = World(binding=replace(LIVE, tls_version=tls_version)).appraise()
    assert failures(result) == ["tls"]


@pytest.mark.parametrize(
    ("origin", "verified_host"),
    [
        ("https://td.example:443", None),
        ("https://td.example:443", ""),
        ("https://td.example:443", "other.example"),
        ("https://td.example:443", "td.example.evil"),
        ("https://td.example.evil:443", "td.example"),
        ("not a url", None),
        ("not a url", ""),
        ("https://[::1", "[::1"),
    ],
)
def test_only_the_verified_host(origin: str, verified_host: str | None) -> None:
    binding = replace(LIVE, origin=origin, verified_host=verified_host)
    result = World(binding=binding).appraise()
    assert failures(result) == ["tls"]
    claim = result.claim(ClaimName.TLS)
    assert claim.expected in ("td.example", "td.example.evil", "a host")
    assert claim.actual == (verified_host or "no verified name")


def test_what_the_certificate_was_verified_for_is_shown() -> None:
    assert World().appraise().claim(ClaimName.TLS).actual == "TLSv1.3, certificate for td.example"
    for origin, expected in (("https://a.example", "a.example"), ("nothing", "a host")):
        binding = replace(LIVE, origin=origin)
        assert World(binding=binding).appraise().claim(ClaimName.TLS).expected == expected


def test_an_ipv6_origin() -> None:
    binding = replace(LIVE, origin="https://[::1]:8443", verified_host="::1")
    assert World(binding=binding).appraise().affirmed


@pytest.mark.parametrize(
    "report_data",
    [
        pytest.param(bytes(64), id="empty"),
        pytest.param(hashlib.sha512(NONCE).digest(), id="nonce only"),
        pytest.param(hashlib.sha512(EXPORTER).digest(), id="exporter only"),
        pytest.param(hashlib.sha512(EXPORTER + NONCE).digest(), id="other order"),
        pytest.param(NONCE + EXPORTER, id="not hashed"),
        pytest.param(hashlib.sha512(NONCE + bytes(32)).digest(), id="relayed: other session"),
        pytest.param(hashlib.sha512(bytes(32) + EXPORTER).digest(), id="replayed: other nonce"),
        pytest.param(hashlib.sha256(NONCE + EXPORTER).digest() + bytes(32), id="SHA-256"),
        pytest.param(V1_REPORT_DATA[:32] + bytes(32), id="first half only"),
        pytest.param(bytes(32) + V1_REPORT_DATA[32:], id="second half only"),
        pytest.param(V1_REPORT_DATA[:63] + b"\0", id="all but the last byte"),
        pytest.param(NONCE + bytes(32), id="nonce padded"),
        pytest.param(bytes(32).hex().encode(), id="v0 replayed: other nonce"),
        pytest.param(V0_REPORT_DATA[:63] + b"0", id="v0 all but the last byte"),
        pytest.param(V0_REPORT_DATA.upper(), id="v0 upper case"),
    ],
)
def test_any_other_report_data_is_refused(report_data: bytes) -> None:
    result = World(report=TdReport(report_data=report_data)).appraise()
    assert failures(result) == BINDING
    assert result.channel_binding is None
    assert not result.affirmed


@pytest.mark.parametrize("where", ["nonce", "exporter"])
@pytest.mark.parametrize("size", [0, 1, 16, 31, 33, 64])
@pytest.mark.parametrize("generation", [World, v0])
def test_a_nonce_or_exporter_of_another_length_binds_nothing(
    where: str, size: int, generation: type[World]
) -> None:
    binding = replace(LIVE, **{where: bytes(size)})
    world = generation(binding=binding)
    world.report.report_data = (
        hashlib.sha512(binding.nonce + binding.exporter).digest()
        if generation is World
        else binding.nonce.hex().encode().ljust(64, b"\0")[:64]
    )
    assert failures(world.appraise()) == BINDING


def test_nonce_and_exporter_cannot_trade_bytes() -> None:
    both = NONCE + EXPORTER
    binding = replace(LIVE, nonce=both[:31], exporter=both[31:])
    assert failures(World(binding=binding).appraise()) == BINDING


def test_the_log_must_name_this_certificate() -> None:
    result = v0(binding=replace(LIVE, leaf_certificate_sha256=bytes(32))).appraise()
    assert failures(result) == ["channel-binding"]
    assert "renewed" in (result.claim(ClaimName.CHANNEL_BINDING).reason or "")
    assert result.channel_binding is None


@pytest.mark.parametrize("session_binding_required", [False, True])
@pytest.mark.parametrize(
    "last",
    [
        pytest.param(logs.certificate_event(b"the genuine server's"), id="another"),
        pytest.param(logs.runtime_event("New TLS Certificate", b"\xff"), id="malformed"),
    ],
)
def test_a_session_bound_quote_does_not_cover_another_certificate(
    last: dict[str, Any], session_binding_required: bool
) -> None:
    """A server that quotes what it is asked to quotes a man in the middle's session too."""
    policy = AppraisalPolicy(require_session_binding=session_binding_required)
    result = World(log=[*log(), last], policy=policy).appraise()
    assert failures(result) == ["channel-binding"]
    assert result.channel_binding is None


def test_a_session_bound_quote_needs_no_announcement() -> None:
    result = World(log=log(leaf=None)).appraise()
    assert result.affirmed
    assert result.channel_binding is ChannelBindingType.TLS_EXPORTER


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_certificate_digest_is_compared_whole(size: int) -> None:
    shown = (LIVE.leaf_certificate_sha256 + bytes(1))[:size]
    result = v0(binding=replace(LIVE, leaf_certificate_sha256=shown)).appraise()
    assert failures(result) == ["channel-binding"]


def test_the_last_announced_certificate_counts() -> None:
    rotated = [*log(), logs.certificate_event(b"a newer certificate")]
    assert failures(v0(log=rotated).appraise()) == ["channel-binding"]
    back = [*rotated, logs.certificate_event(LEAF)]
    assert v0(log=back).appraise().affirmed


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(hashlib.sha256(LEAF).digest(), id="raw digest"),
        pytest.param(hashlib.sha256(LEAF).hexdigest().encode()[:62], id="short"),
        pytest.param(b"0x" + hashlib.sha256(LEAF).hexdigest().encode(), id="prefix"),
        pytest.param(b" " + hashlib.sha256(LEAF).hexdigest().encode() + b" ", id="blanks"),
        pytest.param(b"\xff" * 64, id="no text"),
        pytest.param(hashlib.sha256(LEAF).hexdigest().encode() + b":x", id="colon"),
    ],
)
def test_a_malformed_last_announcement_announces_nothing(payload: bytes) -> None:
    said = [*log(), logs.runtime_event("New TLS Certificate", payload)]
    assert failures(v0(log=said).appraise()) == ["channel-binding"]


def test_another_event_name_announces_nothing() -> None:
    digest = hashlib.sha256(LEAF).hexdigest().encode()
    for name in ("new tls certificate", "New TLS Certificate ", "New TLS Certificates"):
        said = [*log(leaf=None), logs.runtime_event(name, digest)]
        assert failures(v0(log=said).appraise()) == ["channel-binding"]


def test_without_a_log_the_first_generation_is_refused() -> None:
    result = v0(log=None).appraise()
    assert failures(result) == ["channel-binding", "event-log"]


def test_a_log_without_an_announcement_binds_nothing() -> None:
    assert failures(v0(log=log(leaf=None)).appraise()) == ["channel-binding"]


def test_an_unsound_log_binds_nothing() -> None:
    world = v0()
    world.quote = world.mint()
    world.log = [*log(leaf=b"another"), logs.certificate_event(LEAF)]
    assert failures(world.appraise()) == ["channel-binding", "event-log"]


def test_require_session_binding_refuses_the_first_generation_only() -> None:
    policy = AppraisalPolicy(require_session_binding=True)
    result = v0(policy=policy).appraise()
    assert failures(result) == ["channel-binding"]
    assert result.channel_binding is None
    assert World(policy=policy).appraise().affirmed


class TestOffline:
    """Recorded evidence (an audit)."""

    def test_no_channel_is_required(self) -> None:
        result = World(binding=OfflineBinding()).appraise()
        assert result.affirmed
        assert result.offline
        assert [
            claim.name.value
            for claim in result.claims
            if claim.verdict is ClaimVerdict.NOT_REQUIRED
        ] == ["tls", "freshness", "channel-binding"]
        assert result.channel_binding is None
        assert result.origin is None

    def test_report_data_that_is_known_is_compared(self) -> None:
        result = World(binding=OfflineBinding(V1_REPORT_DATA)).appraise()
        assert result.claim(ClaimName.FRESHNESS).verdict is ClaimVerdict.PASSED
        assert result.affirmed

    @pytest.mark.parametrize("size", [0, 32, 63, 65])
    def test_report_data_is_compared_whole(self, size: int) -> None:
        given = (V1_REPORT_DATA + b"\0")[:size]
        assert failures(World(binding=OfflineBinding(given)).appraise()) == ["freshness"]

    def test_other_report_data_is_refused(self) -> None:
        result = World(binding=OfflineBinding(bytes(64))).appraise()
        assert failures(result) == ["freshness"]
