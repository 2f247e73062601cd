"""What a client may set, however it writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratls_ls.settings import Options, Settings, Trigger, parse, section, tells_trust

STRICT = {"attestation": {"requireSessionBinding": True}}
HELD = Options((Path("/ca.pem"),), (Path("/root.pem"),), only_stricter_settings=True)
MINUTES = st.floats(-1, 1e7) | st.integers(-1, 10**7)
VALUES = {
    "attestation.trigger": st.sampled_from([*map(str, Trigger), "x", 1]),
    "attestation.refreshMinutes": MINUTES,
    "attestation.requireSessionBinding": st.booleans() | st.just(0),
    "attestation.connectionMaxAgeMinutes": MINUTES,
    "trusted": st.booleans() | st.just("true"),
    "Trusted": st.booleans(),
    "tls.caFile": st.sampled_from(["", "/evil.pem", 1]),
    "unsafeRootCa": st.sampled_from([[], ["/evil.pem"], "/evil.pem", {}]),
    "codexHome": st.sampled_from(["", "/evil", "evil", []]),
    "audit.enabled": st.booleans() | st.just(0),
    "attestation": st.sampled_from([None, {}, [], "x", {"trigger": "onSave"}]),
}


@pytest.mark.parametrize(
    "sent",
    [
        STRICT,
        {"attestation.requireSessionBinding": True},
        {"ratls": STRICT},
        {"ratls": {"attestation.requireSessionBinding": True}},
        {"ratls.attestation": {"requireSessionBinding": True}},
        {"ratls.attestation.requireSessionBinding": True},
        {"ratls": {"trusted": True}, "ratls.attestation.requireSessionBinding": True},
        {**STRICT, "attestation.requireSessionBinding": True, "attestation.trigger": None},
    ],
)
def test_every_way_to_write_a_setting(sent: dict[str, Any]) -> None:
    settings = parse(section(sent))
    assert settings == Settings(require_session_binding=True)
    assert not settings.complaints


def test_other_sections_are_not_this_ones() -> None:
    others = {"editor.fontSize": 3, "editor": {"trusted": "x"}, "trusted": False}
    settings = parse(section({"ratls": STRICT, **others}))
    assert settings == Settings(require_session_binding=True)
    assert not settings.complaints


@pytest.mark.parametrize("sent", [None, 1, "x", [STRICT], {}, {"editor": STRICT}, {"a.trusted": 1}])
def test_what_says_nothing_of_the_section(sent: object) -> None:
    assert section(sent) is None


@pytest.mark.parametrize(
    "sent",
    [
        {},
        [],  # as some write an object without keys
        None,
        {"attestation": [], "tls": None, "unsafeRootCa": [], "trusted": None},
        {"trace": {"server": "verbose"}, "trace.server": "off", "prompt": {"api": "x"}},
        {"ratls": []},
        {"server.path": "/x"},
    ],
)
def test_what_sets_nothing(sent: object) -> None:
    assert parse(sent) == Settings()
    assert not parse(sent).complaints


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"attestation": True}, "ratls.attestation: must be an object"),
        ({"attestation": [STRICT]}, "ratls.attestation: must be an object"),
        ({"ratls": "strict"}, "ratls: must be an object"),
        ("strict", "ratls: must be an object"),
        (
            {"attestation": {"requireSessionbinding": True}},
            "ratls.attestation.requireSessionbinding: no such setting; did you mean "
            "attestation.requireSessionBinding?",
        ),
        (
            {"Attestation": {"requireSessionBinding": True}},
            "ratls.Attestation: no such setting; did you mean attestation?",
        ),
        (
            {"requireSessionBinding": True},
            "ratls.requireSessionBinding: no such setting; did you mean "
            "attestation.requireSessionBinding?",
        ),
        (
            {"attestation": {"require_session_binding": True}},
            "ratls.attestation.require_session_binding: no such setting; did you mean "
            "attestation.requireSessionBinding?",
        ),
        (
            {"attestation": {"requireSessionBinding": 1}},
            "ratls.attestation.requireSessionBinding: must be bool",
        ),
        (
            {
                "attestation": {"requireSessionBinding": False},
                "attestation.requireSessionBinding": True,
            },
            "ratls.attestation.requireSessionBinding: is set to different values",
        ),
    ],
)
def test_what_may_have_been_meant_weakens_nothing(sent: object, complaint: str) -> None:
    settings = parse(sent)
    assert settings.complaints == (complaint,)
    assert settings.require_session_binding


@pytest.mark.parametrize(
    "sent", [{"Trusted": False}, {"trusted": "no"}, {"trust": False}, {"ratls.Trusted": False}, "x"]
)
def test_trust_is_not_given_by_mistake(sent: object) -> None:
    assert not parse(sent).trusted
    assert not parse(section(sent) or sent).trusted
    assert len(parse(sent).complaints) == 1


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"trusted": True}, True),
        ({"ratls": {"trusted": False}}, True),
        ({"trustd": True}, True),  # which counts as false
        ({"trusted": "no"}, True),
        ("x", True),
        ({"trusted": None}, False),
        ({"attestation": {"refreshMinutes": 10}}, False),
        ({"attestation": "x", "flavour": 1}, False),
        ([], False),
    ],
)
def test_what_tells_of_trust(sent: object, told: bool) -> None:
    assert tells_trust(sent) is told


def test_what_is_understood_counts_whatever_stands_beside() -> None:
    settings = parse(
        {
            "trusted": True,
            "Trusted": False,
            "attestation": {"requireSessionBinding": False, "requireSesionBinding": True},
            "flavour": {"a": 1},
            "audit": {"enabled": True, "enabled\x1b": 1},
            "tls": {"caFile": "a.pem"},
            "unsafeRootCa": ["b.pem"],
        }
    )
    assert settings == Settings(
        audit=True, ca_files=(Path("a.pem"),), unsafe_root_ca=(Path("b.pem"),)
    )
    assert "ratls.flavour: no such setting" in settings.complaints
    assert len(settings.complaints) == 4
    assert all(complaint.isprintable() for complaint in settings.complaints)


@pytest.mark.parametrize("sent", [{"tls": "ca.pem"}, {"unsafeRootCa": "x"}, {"unsafeRootCa": [1]}])
def test_no_root_is_trusted_by_mistake(sent: object) -> None:
    assert parse(sent) == Settings()
    assert len(parse(sent).complaints) == 1


@pytest.mark.parametrize("home", [".", "codex", "~nosuchuser/codex"])
def test_no_home_is_where_the_server_was_started(home: str) -> None:
    settings = parse({"codexHome": home, "tls": {"caFile": home}, "unsafeRootCa": [home]})
    assert settings == Settings(ca_files=(Path(home),), unsafe_root_ca=(Path(home),))
    assert settings.complaints == ("ratls.codexHome: must be an absolute path",)


@pytest.mark.parametrize("sent", [{"trigger": "Manual"}, {"trigger": 1}, {"Trigger": "manual"}, 1])
def test_nobody_is_contacted_unasked_by_mistake(sent: object) -> None:
    settings = parse({"attestation": sent})
    assert settings.trigger is Trigger.MANUAL
    assert len(settings.complaints) == 1


@given(st.lists(st.fixed_dictionaries({}, optional=VALUES), max_size=4))
def test_held_settings_only_become_stricter(sent: list[dict[str, Any]]) -> None:
    before = HELD.settings
    for value in sent:
        after = HELD.taken(value, before)
        assert after.trigger is Trigger.MANUAL
        assert after.refresh_minutes <= before.refresh_minutes
        assert after.connection_max_age_minutes <= before.connection_max_age_minutes
        assert after.require_session_binding >= before.require_session_binding
        assert after.trusted <= before.trusted
        assert after.audit >= before.audit
        assert (after.ca_files, after.unsafe_root_ca, after.codex_home) == ((), (), None)
        before = after


def test_held_settings_take_what_is_stricter_and_keep_it() -> None:
    stricter = {
        "attestation": {
            "trigger": "manual",
            "refreshMinutes": 0,
            "requireSessionBinding": True,
            "connectionMaxAgeMinutes": 5,
        },
        "trusted": False,
        "audit": {"enabled": True},
    }
    taken = HELD.taken(stricter, HELD.settings)
    assert taken == Settings(Trigger.MANUAL, 0, True, 5, trusted=False, audit=True)
    assert HELD.taken({}, taken) == taken
    assert HELD.taken(None, taken) == taken
    assert not taken.complaints
    assert not HELD.taken({}, taken).complaints


def test_one_complaint_names_all_that_did_not_count() -> None:
    laxer = {
        "attestation": {
            "trigger": "onOpenAndSave",
            "refreshMinutes": 16,
            "requireSessionBinding": False,
            "connectionMaxAgeMinutes": 31,
        },
        "trusted": True,
        "tls": {"caFile": "/evil.pem"},
        "unsafeRootCa": ["/evil.pem"],
        "codexHome": "/evil",
        "audit": {"enabled": False},
    }
    why = ": ignored: --only-stricter-settings takes only what is stricter"
    first = HELD.taken(laxer, HELD.settings)
    assert first == HELD.settings
    assert first.complaints == (
        "ratls.attestation.trigger, ratls.attestation.refreshMinutes, "
        "ratls.attestation.connectionMaxAgeMinutes, ratls.tls.caFile, ratls.unsafeRootCa, "
        f"ratls.codexHome{why}",
    )
    strict = Settings(Trigger.MANUAL, 15, True, 30, trusted=False, audit=True)
    (complaint,) = HELD.taken(laxer, strict).complaints
    assert complaint.count("ratls.") == len(Settings.__dataclass_fields__) - 1
    (misspelt, _) = HELD.taken({"trustd": True, "codexHome": "/evil"}, HELD.settings).complaints
    assert "trustd" in misspelt


def test_without_that_option_every_setting_counts_anew() -> None:
    strict = Settings(Trigger.MANUAL, 0, True, 5, trusted=False, audit=True)
    assert Options().taken({}, strict) == Settings(trusted=False)
    assert Options().taken({"trusted": True}, strict) == Options().settings == Settings()
