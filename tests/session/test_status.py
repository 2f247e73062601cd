"""Live status in a session: what is contacted when, told, shown, re-appraised and remembered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ratls_ls.config.problem import Severity
from ratls_ls.lsp import methods
from ratls_ls.lsp.methods import MethodError
from ratls_ls.lsp.params import AttestationStatusParams
from ratls_ls.settings import parse
from ratls_ls.simulator import SimulatedProvider, serve
from ratls_ls.simulator.pki import FMSPC
from ratls_ls.simulator.scenario import Scenario

from .world import (
    World,
    a_world,
    hanging,
    held_until,
    meanwhile,
    out_of_date,
    play,
    refused,
    replaying,
)


def other_firmware(scenario: Scenario) -> None:
    """The TD boots with another MRTD."""
    scenario.td_report.mrtd = b"\x99" * 48


def states(world: World, provider: str = "tee") -> list[str]:
    return [status["state"] for status in world.told if status["provider"] == provider]


# What is contacted when.


async def test_what_is_saved_is_attested_on_open(world: World, provider: SimulatedProvider) -> None:
    uri = world.open(provider.config_toml("tee"))
    status = await world.state("tee", "affirmed")
    assert status.keys() == {"provider", "uri", "range", "state", "result", "checkedAt"}
    assert status["uri"] == uri
    assert status["range"]["start"] == {"line": 0, "character": 0}
    assert states(world) == ["checking", "affirmed"]
    shown = await world.shows(uri, "attestation-affirmed")
    assert shown.severity is Severity.INFORMATION
    assert [request.is_quote for request in provider.record.requests] == [True]


async def test_the_default_provider_is_attested_first(
    world: World, provider: SimulatedProvider
) -> None:
    many = [provider.config_toml(f"p{index}", grace_period=index) for index in range(20)]
    world.open('model_provider = "p19"\n' + "\n".join(many))
    await world.until(lambda: world.told)
    assert (world.told[0]["provider"], world.told[0]["state"]) == ("p19", "checking")


async def test_what_is_not_saved_is_not_contacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World, provider: SimulatedProvider
) -> None:
    text = provider.config_toml("tee")
    uri = world.write("# empty\n")
    world.session.open(uri, text, 1)
    world.session.change(uri, text + "\n", 2)
    world.session.open("untitled:Untitled-1", text, 1)
    await meanwhile(tmp_path, monkeypatch)
    assert not provider.record.connections
    world.session.save(uri)
    await world.state("tee", "affirmed")
    assert len(provider.record.connections) == 1


@pytest.mark.parametrize(
    ("trigger", "on_open", "on_save"),
    [("onOpenAndSave", 1, 2), ("onSave", 0, 1), ("manual", 0, 0)],
)
async def test_triggers(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    provider: SimulatedProvider,
    trigger: str,
    on_open: int,
    on_save: int,
) -> None:
    settings = {"attestation": {"trigger": trigger}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        uri = world.open(provider.config_toml("tee"))
        if on_open:
            await world.state("tee", "affirmed")
        await meanwhile(tmp_path, monkeypatch)
        assert len(provider.record.connections) == on_open
        world.session.save(uri)
        if on_save:
            await world.state("tee", "affirmed", after=2 * on_open)
        await meanwhile(tmp_path, monkeypatch)
        assert len(provider.record.connections) == on_save
        await world.session.attest(uri, "tee")
        assert len(provider.record.connections) == on_save + 1


@pytest.mark.parametrize(
    ("change", "contacted"),
    [({}, True), ({"audit": {"enabled": True}}, True), ({"trusted": False}, False)],
    ids=str,
)
async def test_nobody_is_contacted_while_the_settings_may_be_about_to_change(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    provider: SimulatedProvider,
    change: dict[str, Any],
    contacted: bool,
) -> None:
    settled = asyncio.Event()
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settled=settled.wait) as world:
        uri = world.open(provider.config_toml("tee"))
        world.session.save(uri)
        asked = [
            asyncio.ensure_future(each)
            for each in (
                world.session.attest(uri, "tee"),
                world.request(),
                world.statuses(refresh=True),
            )
        ]
        await meanwhile(tmp_path, monkeypatch)
        assert not provider.record.connections
        assert not world.told
        world.session.configure(parse(change))
        settled.set()
        attested, requested, statuses = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(attested, MethodError) is not contacted
        assert isinstance(requested, MethodError) is not contacted
        assert [each["state"] for each in statuses] == ["affirmed" if contacted else "untrusted"]
        await meanwhile(tmp_path, monkeypatch)
        assert bool(provider.record.connections) is contacted


@pytest.mark.parametrize("trigger", ["onSave", "manual"])
async def test_what_is_as_it_was_saved_is_no_reason_to_contact_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider, trigger: str
) -> None:
    settings = {"attestation": {"trigger": trigger}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        text = provider.config_toml("tee")
        uri = world.open(text)
        for edited in ("#" + text, text):
            world.session.change(uri, edited, 2)
        world.session.changed_on_disk(uri)
        await meanwhile(tmp_path, monkeypatch)
        assert not provider.record.connections


@pytest.mark.parametrize("trigger", ["onSave", "manual"])
async def test_other_settings_are_no_reason_to_contact_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider, trigger: str
) -> None:
    settings = {"attestation": {"trigger": trigger}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        world.open(provider.config_toml("tee"))
        world.session.configure(parse({**settings, "audit": {"enabled": True}}))
        await meanwhile(tmp_path, monkeypatch)
        assert not provider.record.connections


async def test_what_the_user_asked_for_is_not_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    settings = {"attestation": {"trigger": "manual", "refreshMinutes": 0.0005}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        uri = world.open(provider.config_toml("tee"))
        await world.session.attest(uri, "tee")
        await meanwhile(tmp_path, monkeypatch)
        assert len(provider.record.connections) == 1


async def test_what_is_not_open_is_contacted_for_nobody_but_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    settings = {"attestation": {"refreshMinutes": 0.0005}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        uri = world.write(provider.config_toml("tee"))
        await world.session.attest(uri, "tee")
        world.session.changed_on_disk(uri)
        world.session.save(uri)
        await meanwhile(tmp_path, monkeypatch)
        assert len(provider.record.connections) == 1


async def test_news_that_change_nothing_contact_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World, provider: SimulatedProvider
) -> None:
    text = provider.config_toml("tee")
    uri = world.open(text)
    await world.state("tee", "affirmed")
    unknown = (tmp_path / "unknown.toml").as_uri()
    world.session.save(unknown)
    for file in (uri, unknown):
        world.session.changed_on_disk(file)
    await meanwhile(tmp_path, monkeypatch)
    # Still unsaved, whatever is on the disk.
    world.session.change(uri, provider.config_toml("tee", grace_period=1), 2)
    world.session.changed_on_disk(uri)
    await meanwhile(tmp_path, monkeypatch)
    assert len(provider.record.connections) == 1


async def test_a_setting_that_cannot_be_used_is_told_though_nothing_changes(world: World) -> None:
    world.session.configure(parse({"attestation": {"refreshMinutes": "often"}}))
    (complaint,) = world.complaints
    assert "refreshMinutes" in complaint


async def test_statuses_of_every_kind(world: World, provider: SimulatedProvider) -> None:
    text = provider.config_toml("tee")
    plain = provider.config_toml("plain").replace("use_ratls = true", "use_ratls = false")
    wrong = provider.config_toml("wrong", allowed_tdx_status=[])
    uri = world.write("\n".join([text, plain, wrong]))
    found = {status["provider"]: status for status in await world.statuses()}
    assert {name: status["state"] for name, status in found.items()} == {
        "tee": "unchecked",
        "plain": "disabled",
        "wrong": "invalid",
    }
    assert {status["uri"] for status in found.values()} == {uri}
    (one,) = await world.statuses(provider="tee", refresh=True)
    assert one["state"] == "affirmed"
    assert await world.statuses(uri=uri, provider="nobody") == []
    assert await world.statuses(uri="file:///nowhere/config.toml") == []


async def test_what_a_request_finds_out_is_the_status(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    await provider.close_connections()
    play(provider, monkeypatch, replaying)
    await refused(world.request())
    await world.state("tee", "rejected")
    await provider.stop()
    monkeypatch.setattr("ratls_ls.atls.client.RETRY_SECONDS", 0.001)
    await refused(world.request())
    assert (await world.state("tee", "stale"))["error"]["code"] == "unreachable-tcp"


async def test_while_it_is_checked_again_what_was_found_stays_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    settings = {"attestation": {"refreshMinutes": 0, "connectionMaxAgeMinutes": 0.0005}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        uri = world.open(provider.config_toml("tee"))
        await world.shows(uri, "attestation-stale")
        publications = world.publications
        play(provider, monkeypatch, hanging)
        asked = asyncio.ensure_future(world.session.attest(uri, "tee"))
        await provider.record.wait_for(
            lambda record: sum(request.size > 0 for request in record.requests) == 2
        )
        assert states(world)[-1] == "checking"
        assert world.publications == publications
        world.session.cancel_checks()
        await asked


async def test_unreachable(world: World, provider: SimulatedProvider) -> None:
    await provider.stop_pccs()
    uri = world.open(provider.config_toml("tee"))
    status = await world.state("tee", "unreachable")
    assert status["error"]["code"] == "unreachable-pccs"
    shown = await world.shows(uri, "attestation-unreachable")
    assert shown.severity is Severity.WARNING
    assert "PCCS" in shown.message


async def test_an_attestation_that_cannot_be_renewed_is_stale(
    world: World, provider: SimulatedProvider
) -> None:
    uri = world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    await provider.stop()
    await world.session.attest(uri, "tee")
    status = await world.state("tee", "stale")
    assert status["error"]["code"] == "unreachable-tcp"
    assert status["result"]["verdict"] == "affirmed"
    shown = await world.shows(uri, "attestation-stale")
    assert shown.severity is Severity.HINT
    assert "could not be renewed" in shown.message
    assert world.diagnostic(uri, "attestation-affirmed") is None


async def test_an_attestation_that_nobody_renews_gets_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    settings = {"attestation": {"refreshMinutes": 0, "connectionMaxAgeMinutes": 0.0005}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        uri = world.open(provider.config_toml("tee"))
        await world.state("tee", "stale")
        assert "too long ago" in (await world.shows(uri, "attestation-stale")).message
        assert len(provider.record.connections) == 1


async def test_refreshed_by_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    settings = {"attestation": {"refreshMinutes": 0.0005}}
    async with (
        serve() as other,
        a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world,
    ):
        uri = world.open(provider.config_toml("tee"))
        await provider.record.wait_for(lambda record: len(record.connections) >= 4)
        # A host that is being typed is left alone, also if it was saved before.
        world.session.change(uri, provider.config_toml("tee") + "\n", 2)
        await world.until(lambda: states(world)[-1] == "affirmed")
        checks = len(provider.record.connections)
        second = world.home / "second.toml"
        second.write_text(other.config_toml("other"), "utf-8")
        world.session.open(second.as_uri(), second.read_text("utf-8"), 1)
        await other.record.wait_for(lambda record: len(record.connections) >= 6)
        assert len(provider.record.connections) == checks


async def test_an_undone_edit_is_refreshed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    settings = {"attestation": {"refreshMinutes": 0.0005}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        text = provider.config_toml("tee")
        uri = world.open(text)
        await world.state("tee", "affirmed")
        world.session.change(uri, "#" + text, 2)
        await world.until(lambda: states(world)[-1] == "affirmed")
        await meanwhile(tmp_path, monkeypatch)
        checks = len(provider.record.connections)
        world.session.change(uri, text, 3)
        await provider.record.wait_for(lambda record: len(record.connections) >= checks + 2)


async def test_a_check_that_is_cancelled_leaves_the_status_as_it_was(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(provider, monkeypatch, hanging)
    world.open(provider.config_toml("tee"))
    await provider.record.wait_for(lambda record: bool(record.requests))
    world.session.cancel_checks()
    await world.state("tee", "unchecked")
    await provider.record.wait_for(lambda record: record.connections[0].closed)


# Edits.


async def test_what_if_the_policy_allowed_it(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(provider, monkeypatch, out_of_date)
    uri = world.open(provider.config_toml("tee"))
    refusal = await world.shows(uri, "attestation-rejected")
    assert "tcb-status" in refusal.message
    connections = len(provider.record.connections)

    weaker = provider.config_toml("tee", allowed_tdx_status=["UpToDate", "OutOfDate"])
    world.session.change(uri, weaker, 2)
    shown = world.diagnostic(uri, "attestation-degraded")
    assert shown is not None
    assert "judged by the policy as edited" in shown.message
    told = await world.state("tee", "affirmed")
    assert told["checkedAt"]

    # Undone, it is what was found and no guess.
    world.session.change(uri, provider.config_toml("tee"), 3)
    again = world.diagnostic(uri, "attestation-rejected")
    assert again is not None
    assert "as edited" not in again.message
    assert len(provider.record.connections) == connections

    world.session.change(uri, weaker, 4)
    told_before = len(world.told)
    world.write(weaker)
    world.session.save(uri)
    await world.state("tee", "affirmed", after=told_before)
    await world.until(
        lambda: (
            (found := world.diagnostic(uri, "attestation-degraded"))
            and "as edited" not in found.message
        )
    )
    assert len(provider.record.connections) == connections + 1


async def test_only_what_was_just_verified_counts_as_verified(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = provider.config_toml("tee")
    uri = world.write(text)

    def unverified(name: str = "tee", where: str = uri) -> bool:
        with pytest.raises(MethodError) as caught:
            world.session.verified(where, name)
        return caught.value.code == methods.PROVIDER_NOT_ATTESTED

    assert unverified()
    world.session.open(uri, text, 1)
    await world.state("tee", "affirmed")
    entry, result = world.session.verified(uri, "tee")
    assert (entry.text, result.affirmed) == (text, True)
    assert unverified("nobody")
    assert unverified(where="file:///nowhere.toml")
    world.session.change(uri, provider.config_toml("tee", grace_period=1), 2)
    assert unverified()
    world.session.change(uri, text, 3)
    play(provider, monkeypatch, replaying)
    await world.session.attest(uri, "tee")
    assert unverified()


async def test_many_policies_edited_at_once_are_judged_bit_by_bit(
    world: World, provider: SimulatedProvider
) -> None:
    uri = world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    many = "\n".join(provider.config_toml(f"p{i}", grace_period=i) for i in range(30))
    world.session.change(uri, many, 2)
    judged = [item for item in world.shown[uri] if item.code == "attestation-affirmed"]
    assert 0 < len(judged) < 5
    await world.until(
        lambda: sum(item.code == "attestation-affirmed" for item in world.shown[uri]) == 30
    )
    live = [item for item in world.shown[uri] if item.code == "attestation-affirmed"]
    assert all("as edited" in item.message for item in live)
    assert len(provider.record.connections) == 1


async def test_a_tighter_policy_shows_at_once_that_it_would_refuse(
    world: World, provider: SimulatedProvider
) -> None:
    uri = world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    text = provider.config_toml("tee", os_image_hash="00" * 32)
    world.session.change(uri, text, 2)
    shown = world.diagnostic(uri, "attestation-rejected")
    assert shown is not None
    (related,) = shown.related
    assert related.span.of(text) == f'os_image_hash = "{"00" * 32}"'
    assert (await world.state("tee", "rejected"))["result"]["verdict"] == "rejected"


async def test_another_host_has_no_status_yet(world: World, provider: SimulatedProvider) -> None:
    uri = world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    world.session.change(uri, provider.config_toml("tee").replace("localhost", "127.0.0.1"), 2)
    await world.state("tee", "unchecked")
    assert all(not item.code.startswith("attestation") for item in world.shown[uri])
    assert len(provider.record.connections) == 1


async def test_what_an_edit_changes_is_told_once(world: World, provider: SimulatedProvider) -> None:
    text = provider.config_toml("tee")
    uri = world.open(text)
    await world.state("tee", "affirmed")
    for version in range(2, 30):
        world.session.change(uri, text.replace('"UpToDate"', '"' + "x" * version), version)
    await world.state("tee", "invalid")
    world.session.change(uri, text, 40)
    await world.until(lambda: states(world)[-1] == "affirmed")
    assert states(world) == ["checking", "affirmed", "invalid", "affirmed"]
    world.session.change(uri, provider.config_toml("renamed"), 41)
    gone = await world.state("tee", "disabled")
    assert gone["range"] == {
        "start": {"line": 0, "character": 0},
        "end": {"line": 0, "character": 0},
    }
    assert (await world.state("renamed", "affirmed"))["result"]["provider"] == "renamed"


async def test_an_undone_edit_keeps_the_connections(
    world: World, provider: SimulatedProvider
) -> None:
    text = provider.config_toml("tee")
    uri = world.open(text)
    await world.state("tee", "affirmed")
    world.session.change(uri, text + "\n[", 2)
    world.session.change(uri, text, 3)
    assert (await world.request())["timings"]["reusedConnection"] is True


async def test_closing_takes_the_diagnostics_away_and_keeps_the_status(
    world: World, provider: SimulatedProvider
) -> None:
    uri = world.open(provider.config_toml("tee"))
    await world.shows(uri, "attestation-affirmed")
    world.session.close(uri)
    assert world.shown[uri] == []
    (status,) = await world.statuses()
    assert status["state"] == "affirmed"
    world.config.unlink()
    assert await world.statuses() == []
    assert states(world)[-1] == "disabled"


async def test_a_default_that_decided_is_pointed_at(
    world: World, provider: SimulatedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(provider, monkeypatch, out_of_date)
    text = provider.config_toml("tee").replace('allowed_tdx_status = ["UpToDate"]\n', "")
    uri = world.open(text)
    shown = await world.shows(uri, "attestation-rejected")
    (related,) = shown.related
    assert related.span.of(text) == "[model_providers.tee.ratls_policy]"
    assert "has no allowed_tdx_status" in related.message


async def test_documents_leave_each_other_alone(world: World, provider: SimulatedProvider) -> None:
    one = world.open(provider.config_toml("tee"))
    await world.shows(one, "attestation-affirmed")
    two = (world.home / "two.toml").as_uri()
    publications = world.publications
    world.session.open(two, "[model_providers.x]\n\0", 1)
    world.session.change(two, "\ud800" * 3, 2)
    world.session.close(two)
    assert world.diagnostic(one, "attestation-affirmed") is not None
    assert world.publications > publications
    other = (world.home / "pyproject.toml").as_uri()
    world.session.open(other, "[project]\n[broken", 1)
    assert other not in world.shown


# Settings.


async def test_settings_that_change_nothing_keep_everything(
    world: World, provider: SimulatedProvider
) -> None:
    world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    world.session.configure(world.session.settings)
    assert (await world.request())["timings"]["reusedConnection"] is True


async def test_trust_that_is_taken_away_ends_what_runs_and_comes_back(
    world: World, provider: SimulatedProvider
) -> None:
    uri = world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    running = await world.held_request()
    world.session.configure(parse({"trusted": False}))
    with pytest.raises(asyncio.CancelledError):
        await running
    await world.state("tee", "untrusted")
    assert (await refused(world.request())).code == methods.UNTRUSTED
    assert world.diagnostic(uri, "attestation-affirmed") is None
    before = len(world.told)
    world.session.configure(parse({}))
    await world.state("tee", "affirmed", after=before)


async def test_other_settings_let_running_requests_end_in_peace(
    world: World, provider: SimulatedProvider
) -> None:
    world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    running = await world.held_request()
    world.session.configure(parse({"attestation": {"refreshMinutes": 1}}))
    provider.gate.set()
    assert (await running)["complete"] is True


async def test_session_binding_is_required_from_the_setting_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serve(generation="v0") as provider,
        a_world(tmp_path, monkeypatch, trusting=[provider]) as world,
    ):
        world.open(provider.config_toml("tee"))
        await world.state("tee", "affirmed")
        world.session.configure(parse({"attestation": {"requireSessionBinding": True}}))
        await world.state("tee", "rejected")
        assert (await refused(world.request())).code == methods.ATTESTATION_REJECTED


async def test_what_was_judged_by_settings_that_are_gone_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serve(generation="v0") as provider,
        a_world(
            tmp_path,
            monkeypatch,
            trusting=[provider],
            settings={"attestation": {"trigger": "manual"}},
        ) as world,
    ):
        released = asyncio.Event()
        held = held_until(released)
        play(provider, monkeypatch, lambda scenario: scenario.pccs.append(lambda _, it: held(it)))
        world.open(provider.config_toml("tee"))
        running = asyncio.ensure_future(world.request())
        await provider.record.wait_for(lambda record: bool(record.pccs_targets))
        stricter = {"requireSessionBinding": True, "trigger": "manual"}
        world.session.configure(parse({"attestation": stricter}))
        released.set()
        assert (await refused(running)).code == methods.UNREACHABLE
        assert [status["state"] for status in await world.statuses()] == ["unchecked"]


async def test_a_root_that_cannot_be_read_stops_all_traffic(
    world: World, provider: SimulatedProvider
) -> None:
    world.open(provider.config_toml("tee"))
    await world.state("tee", "affirmed")
    wrong = {"unsafeRootCa": ["/nowhere.pem"], "attestation": {"trigger": "never"}}
    world.session.configure(parse(wrong))
    await world.state("tee", "untrusted")
    assert len(world.complaints) == 2
    assert "/nowhere.pem" in world.complaints[1]
    world.session.configure(parse(wrong))
    assert len(world.complaints) == 2
    before = len(world.told)
    world.session.configure(parse({}))
    await world.state("tee", "affirmed", after=before)


async def test_a_config_written_by_somebody_else_counts_once_the_editor_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World, provider: SimulatedProvider
) -> None:
    uri = world.open("[model_providers]\n")
    text = provider.config_toml("tee")
    world.session.change(uri, text, 2)
    await meanwhile(tmp_path, monkeypatch)
    assert not world.told
    world.write(text)
    world.session.changed_on_disk(uri)
    await world.state("tee", "affirmed")
    # The editor may show it after the news of the file.
    text = provider.config_toml("tee", grace_period=1)
    before = len(provider.record.connections)
    world.write(text)
    world.session.changed_on_disk(uri)
    world.session.change(uri, text, 3)
    await provider.record.wait_for(lambda record: len(record.connections) > before)


async def test_an_undone_edit_contacts_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World, provider: SimulatedProvider
) -> None:
    text = provider.config_toml("tee")
    uri = world.open(text)
    await world.state("tee", "affirmed")
    other = provider.config_toml("tee", grace_period=1)
    world.session.change(uri, other, 2)
    world.session.change(uri, text, 3)
    # Nor does a file that is again what it was.
    for written in (other, text):
        world.write(written)
        world.session.changed_on_disk(uri)
    await meanwhile(tmp_path, monkeypatch)
    assert len(provider.record.connections) == 1


# Drift.


async def test_measurements_that_changed_are_told_until_they_are_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    unpinned = provider.config_toml("tee", pinned=False)
    async with a_world(tmp_path, monkeypatch, trusting=[provider]) as world:
        uri = world.open(unpinned)
        await world.shows(uri, "attestation-affirmed")
        assert world.diagnostic(uri, "measurement-changed") is None
    play(provider, monkeypatch, other_firmware)
    for _ in range(2):  # sessions
        async with a_world(tmp_path, monkeypatch, trusting=[provider]) as world:
            uri = world.open(unpinned)
            shown = await world.shows(uri, "measurement-changed")
            assert shown.severity is Severity.WARNING
            assert "mrtd " in shown.message
            assert "→ 999999999999…" in shown.message
            assert "rtmr0" not in shown.message
            await world.session.attest(uri, "tee")
            assert world.diagnostic(uri, "measurement-changed") is not None
    pinned = provider.config_toml("tee", pinned=False, expected_bootchain={"mrtd": "99" * 48})
    for text in (pinned, unpinned):
        async with a_world(tmp_path, monkeypatch, trusting=[provider]) as world:
            uri = world.open(text)
            await world.shows(uri, "attestation-affirmed")
            assert world.diagnostic(uri, "measurement-changed") is None


async def test_what_was_measured_before_and_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    text = provider.config_toml("tee")
    async with a_world(tmp_path, monkeypatch, trusting=[provider]) as world:
        await world.shows(world.open(text), "attestation-affirmed")
    (file,) = (tmp_path / ".state" / "ratls-ls" / "measurements").iterdir()
    file.write_text("{")
    async with a_world(tmp_path, monkeypatch, trusting=[provider]) as world:
        await world.shows(world.open(text), "attestation-affirmed")
        (complaint,) = world.complaints
        assert str(file) in complaint


async def test_nothing_is_affirmed_where_nobody_can_tell_what_assessment_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    noted = tmp_path / ".cache" / "ratls-ls" / f"tcb-evaluation-{FMSPC}"
    noted.mkdir(parents=True)
    async with a_world(tmp_path, monkeypatch, trusting=[provider]) as world:
        uri = world.open(provider.config_toml("tee"))
        shown = await world.shows(uri, "attestation-unreachable")
        assert str(noted) in shown.message
        noted.rmdir()
        await world.session.attest(uri, "tee")
        await world.shows(uri, "attestation-affirmed")


async def test_a_refused_server_leaves_no_measurements_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider
) -> None:
    unpinned = provider.config_toml("tee", pinned=False)
    play(provider, monkeypatch, other_firmware, replaying)
    async with a_world(tmp_path, monkeypatch, trusting=[provider]) as world:
        uri = world.open(unpinned)
        await world.shows(uri, "attestation-rejected")
        provider.set_faults()
        await world.session.attest(uri, "tee")
        await world.shows(uri, "attestation-affirmed")
        assert world.diagnostic(uri, "measurement-changed") is None


# Which provider Codex uses.


async def test_a_default_that_is_not_attested_is_told_of_too(
    world: World, provider: SimulatedProvider
) -> None:
    text = provider.config_toml("tee")
    uri = world.open(text)
    assert await defaults(world) == [("openai", "disabled", uri)]
    world.session.change(uri, f'model_provider = "ollama"\n{text}', 2)
    assert await defaults(world) == [("ollama", "disabled", uri)]
    world.session.change(uri, f'model_provider = "tee"\n{text}', 3)
    assert await defaults(world) == []
    profile = (
        'profile = "work"\nmodel_provider = "tee"\n\n[profiles.work]\nmodel_provider = "openai"'
    )
    world.session.change(uri, f"{profile}\n{text}", 4)
    assert await defaults(world) == [("openai", "disabled", uri)]
    assert not any("default" in status for status in await world.statuses())


async def test_another_default_is_news_whatever_the_statuses(
    world: World, provider: SimulatedProvider
) -> None:
    text = provider.config_toml("tee")
    uri = world.open(f'model_provider = "tee"\n{text}')
    await world.state("tee", "affirmed")
    before = len(world.told)
    world.session.change(uri, f'model_provider = "openai"\n{text}', 2)
    openai = await world.state("openai", "disabled", after=before)
    assert openai["default"] is True
    assert "default" not in await world.state("tee", "affirmed", after=before)
    before = len(world.told)
    world.session.change(uri, f'model_provider = "tee"\n{text}', 3)
    assert (await world.state("tee", "affirmed", after=before))["default"] is True
    assert "default" not in await world.state("openai", "disabled", after=before)


async def test_the_default_of_a_project_is_what_cannot_be_relied_on(
    world: World, provider: SimulatedProvider
) -> None:
    project = world.home / "project" / ".codex" / "config.toml"
    project.parent.mkdir(parents=True)
    text = f'{provider.config_toml("tee")}\n[model_providers.plain]\nname = "Plain"\n'

    async def found(first: str) -> list[str]:
        world.session.open(project.as_uri(), f"{first}\n{text}", 1)
        both = await world.statuses(uri=project.as_uri())
        marked = [status["provider"] for status in both if "default" in status]
        elsewhere = await defaults(world, uri=project.as_uri())
        return [*marked, *(name for name, *_ in elsewhere)]

    assert await found("") == []  # the user's own config says
    assert await found('model_provider = "users"') == []
    assert await found('model_provider = "tee"') == []  # ignored there
    assert await found('model_provider = "plain"') == ["plain"]
    assert await found('model_provider = "openai"') == ["openai"]


async def test_without_a_config_of_the_users_own_it_is_openai(
    world: World, provider: SimulatedProvider
) -> None:
    own = world.home / ".codex" / "config.toml"
    elsewhere = world.home / "elsewhere.toml"
    own.parent.mkdir(exist_ok=True)
    text = f'model_provider = "tee"\n{provider.config_toml("tee")}'
    world.session.open(elsewhere.as_uri(), text, 1)
    assert await defaults(world) == [("openai", "disabled", own.as_uri())]
    assert await defaults(world, uri=elsewhere.as_uri()) == []
    assert await defaults(world, provider="tee") == []
    own.write_text(text, "utf-8")
    assert await defaults(world) == []


async def defaults(world: World, **params: Any) -> list[tuple[str, str, str]]:
    """Provider, state and config of each default that is in no table."""
    parsed = AttestationStatusParams.parse(params)
    found = (await world.session.attestation_status(parsed))["defaults"]
    assert all(status["default"] is True for status in found)
    return [(status["provider"], status["state"], status["uri"]) for status in found]
