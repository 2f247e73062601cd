"""What a client may set, however it writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ratls_ls.settings import Settings, Trigger, parse, section

STRICT = {"attestation": {"requireSessionBinding": True}}


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
