"""A profile's file is attested under what it is laid over, the user's own config, or not at all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ratls_ls.lsp import methods
from ratls_ls.settings import parse
from ratls_ls.simulator import SimulatedProvider, serve

from .world import World, a_world, meanwhile, refused

CHAT = {"path": "/chat/completions", "body": {"messages": []}}


def pinning(provider: SimulatedProvider) -> str:
    """The user's own config, with a pin that the server does not meet."""
    pinned = f'mrtd = "{"aa" * 48}"'
    text, count = re.subn('mrtd = "[0-9a-f]+"', pinned, provider.config_toml("tee"))
    assert count == 1
    return text


def profile_of(world: World, provider: SimulatedProvider) -> Path:
    """A profile that would do by itself, and has no pins."""
    path = world.config.with_name("work.config.toml")
    path.write_text(
        '[model_providers.tee]\nname = "TEE"\nuse_ratls = true\n'
        f'base_url = "{provider.base_url}"\nratls_policy.pccs_url = "{provider.pccs_url}"\n',
        "utf-8",
    )
    return path


async def not_sent(world: World, provider: SimulatedProvider, uri: str) -> int:
    """The code with which a prompt by this config is refused, before any of it was sent."""
    error = await refused(world.request(uri=uri, **CHAT))
    assert not any(connection.api_bytes for connection in provider.record.connections)
    return error.code


def _not_text(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"# \xff")


def _too_large(path: Path) -> None:
    path.write_text(path.read_text("utf-8") + "#" * (16 * 1024 * 1024), "utf-8")


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def _link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("gone"))


def _half_a_header(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("[model_providers.tee]", "[model_pro"), "utf-8")


UNREADABLE = (_not_text, _too_large, _directory, _pipe, _circle, _link_to_nothing, _half_a_header)


@pytest.mark.parametrize("hide", UNREADABLE)
@pytest.mark.parametrize("before", ["nothing", "the user's own", "the profile"])
async def test_not_over_what_cannot_be_read(
    world: World, provider: SimulatedProvider, hide: Callable[[Path], None], before: str
) -> None:
    """`before`: what is known as long as the user's own config can be read."""
    world.write(pinning(provider))
    profile = profile_of(world, provider)
    uri, text = profile.as_uri(), profile.read_text("utf-8")
    if before == "the user's own":
        await world.statuses()
    if before == "the profile":
        await world.statuses(uri=uri)
    hide(world.config)
    assert await not_sent(world, provider, uri) == methods.INVALID_POLICY
    world.session.open(uri, text, 1)
    assert await not_sent(world, provider, uri) == methods.INVALID_POLICY
    assert "base-in-doubt" in {item.code for item in world.shown[uri]}


@pytest.mark.parametrize("opened", [False, True])
async def test_over_what_nobody_asked_for_yet(
    world: World, provider: SimulatedProvider, opened: bool
) -> None:
    world.write(pinning(provider))
    profile = profile_of(world, provider)
    if opened:
        world.session.open(profile.as_uri(), profile.read_text("utf-8"), 1)
    (status,) = await world.statuses(uri=profile.as_uri(), refresh=True)
    assert status["state"] == "rejected"
    assert await not_sent(world, provider, profile.as_uri()) == methods.ATTESTATION_REJECTED


@pytest.mark.parametrize("opened", [False, True])
async def test_over_what_another_program_wrote_since(
    world: World, provider: SimulatedProvider, opened: bool
) -> None:
    """No watcher tells of it."""
    world.write(provider.config_toml("tee"))
    uri = profile_of(world, provider).as_uri()
    if opened:
        world.session.open(uri, profile_of(world, provider).read_text("utf-8"), 1)
    assert (await world.request(uri=uri))["status"] == 200
    provider.record.connections.clear()
    world.write(pinning(provider))
    assert await not_sent(world, provider, uri) == methods.ATTESTATION_REJECTED
    # What is gone pins nothing any more, and what came back does.
    world.config.unlink()
    assert (await world.request(uri=uri))["status"] == 200
    provider.record.connections.clear()
    world.config.mkdir()
    assert await not_sent(world, provider, uri) == methods.INVALID_POLICY


async def affirmed(world: World, path: Path) -> None:
    """Until that is told of the providers of this config."""
    uri = path.as_uri()
    await world.until(lambda: (uri, "affirmed") in [(s["uri"], s["state"]) for s in world.told])


def a_pin_more(world: World, provider: SimulatedProvider) -> tuple[Path, str]:
    """A profile, and its text: it is another peer than that of the user's own config."""
    profile = world.config.with_name("work.config.toml")
    pin = re.findall('mrtd = "[0-9a-f]+"', provider.config_toml("tee"))[0]
    text = f"model_providers.tee.ratls_policy.expected_bootchain.{pin}\n"
    profile.write_text(text, "utf-8")
    return profile, text


@pytest.mark.parametrize("then", ["the profile is saved", "opened again", "settings"])
async def test_a_host_that_was_never_saved_is_not_contacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    async with (
        serve() as saved,
        serve() as edited,
        a_world(tmp_path, monkeypatch, trusting=[saved, edited]) as world,
    ):
        own = world.open(saved.config_toml("tee", pinned=False))
        profile, text = a_pin_more(world, saved)
        world.session.open(profile.as_uri(), text, 1)
        await affirmed(world, profile)
        world.session.change(own, edited.config_toml("tee", pinned=False), 2)
        match then:
            case "the profile is saved":
                world.session.save(profile.as_uri())
            case "opened again":
                world.session.close(profile.as_uri())
                world.session.open(profile.as_uri(), text, 1)
            case "settings":
                world.session.configure(parse({"attestation": {"refreshMinutes": 14}}))
        await meanwhile(tmp_path, monkeypatch)
        assert not edited.record.connections
        world.told.clear()
        world.save(own, edited.config_toml("tee", pinned=False))
        await affirmed(world, profile)
        assert edited.record.connections


@pytest.mark.parametrize("then", ["saved", "undone", "closed", "written by another program"])
async def test_a_profile_is_attested_from_when_its_base_is_what_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: SimulatedProvider, then: str
) -> None:
    settings = {"attestation": {"refreshMinutes": 0.001}}
    async with a_world(tmp_path, monkeypatch, trusting=[provider], settings=settings) as world:
        text = provider.config_toml("tee", pinned=False)
        edited = text + "# edited"
        own = world.open(text)
        world.session.change(own, edited, 2)
        profile, its_text = a_pin_more(world, provider)
        world.session.open(profile.as_uri(), its_text, 1)
        await meanwhile(tmp_path, monkeypatch)
        assert not [
            s for s in world.told if (s["uri"], s["state"]) == (profile.as_uri(), "affirmed")
        ]
        match then:
            case "saved":
                world.save(own, edited)
            case "undone":
                world.session.change(own, text, 3)
            case "closed":
                world.session.close(own)
            case _:
                world.write(edited)
                world.session.changed_on_disk(own)
        # At once, and whenever it is due.
        for _ in range(3):
            world.told.clear()
            await affirmed(world, profile)


@pytest.mark.parametrize("opened", [False, True])
async def test_what_a_profile_leaves_as_it_is_is_the_users_own(
    world: World, provider: SimulatedProvider, opened: bool
) -> None:
    own = world.write(provider.config_toml("tee") + provider.config_toml("other"))
    profile = world.config.with_name("work.config.toml")
    uri, text = profile.as_uri(), 'model_provider = "tee"\n'
    profile.write_text(text, "utf-8")
    if opened:
        world.session.open(uri, text, 1)
    for named in ("tee", None):  # it is the one that this config is about
        assert await world.session.attest(uri, named) == 1
        (status,) = await world.statuses(uri=uri, provider=named, refresh=True)
        assert (status["provider"], status["uri"]) == ("tee", own)
        assert status["state"] == "affirmed"
    assert (await world.request(uri=uri, **CHAT))["status"] == 200
    provider.record.connections.clear()
    # It may have been meant to refuse this server.
    profile.write_text(f"{text}[tui]\nmrtd = '00'\n", "utf-8")
    if opened:
        world.session.change(uri, profile.read_text("utf-8"), 2)
    for named in ("tee", None):
        assert await world.session.attest(uri, named) == 0
        assert "misplaced-table" in {each["code"] for each in world.session.problems(uri, named)}
    assert await not_sent(world, provider, uri) == methods.PROVIDER_NOT_ATTESTED


async def test_what_is_saved_is_checked_with_what_is_read_from_it_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serve() as one,
        serve() as two,
        serve() as three,
        a_world(tmp_path, monkeypatch, trusting=[one, two, three]) as world,
    ):
        text = one.config_toml("tee", pinned=False)
        own = world.config
        profile, project = own.with_name("work.config.toml"), tmp_path / "a" / ".codex" / own.name
        project.parent.mkdir(parents=True)
        world.open(text)
        profile.write_text(
            f'[model_providers.tee]\nbase_url = "{two.base_url}"\n'
            f'ratls_policy.pccs_url = "{two.pccs_url}"\n',
            "utf-8",
        )
        project.write_text(three.config_toml("tee", pinned=False), "utf-8")
        for path in (profile, project):
            world.session.open(path.as_uri(), path.read_text("utf-8"), 1)
        for path in (own, profile, project):
            await affirmed(world, path)

        async def checked_after_saving(path: Path, *also: Path) -> list[int]:
            for provider in (one, two, three):
                provider.record.connections.clear()
            world.told.clear()
            world.session.save(path.as_uri())
            for each in (path, *also):
                await affirmed(world, each)
            await meanwhile(tmp_path, monkeypatch)
            return [len(each.record.connections) for each in (one, two, three)]

        world.session.change(own.as_uri(), text + "# edited", 2)
        assert await checked_after_saving(project) == [0, 0, 1]
        assert await checked_after_saving(own, profile) == [1, 1, 0]
        assert await checked_after_saving(project) == [0, 0, 1]
