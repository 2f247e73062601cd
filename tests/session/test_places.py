"""Which file is a Codex config, and whose: cases that the tests of both plugins read, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ratls_ls import private_files
from ratls_ls.atls.pccs import CollateralStore
from ratls_ls.config.read import read
from ratls_ls.session import codex_home
from ratls_ls.session.places import Places
from ratls_ls.settings import parse
from ratls_ls.simulator import SimulatedProvider

from .world import a_world

CASES = json.loads((Path(__file__).parents[1] / "places.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES["homes"], ids=json.dumps)
def test_where_codex_keeps_the_users_own(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/h")
    named = case["CODEX_HOME"]
    settings = parse({"codexHome": case["setting"]})
    environment = {"CODEX_HOME": named} if named is not None else {}
    assert str(codex_home(settings.codex_home, environment)) == case["is"]


@pytest.mark.parametrize("case", CASES["documents"], ids=json.dumps)
def test_what_is_a_config_and_whose(case: dict[str, Any], tmp_path: Path) -> None:
    for link, target in case.get("links", {}).items():
        (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / link).symlink_to(tmp_path / target)
        if not target.endswith(".toml"):
            (tmp_path / target).mkdir(parents=True)
    file, text = tmp_path / case["open"], case.get("text", "")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    place = Places(tmp_path / "home" / ".codex").at(file.as_uri())
    whose = "own" if place.own else "project" if place.kind == "project" else "other"
    served = place.is_named_so or read(text.removeprefix("\ufeff")).is_codex_config
    assert (whose if served else None) == case["is"]


@pytest.mark.parametrize(
    ("setting", "told", "doubts"),
    [
        ("", "", ["set HOME or CODEX_HOME"]),
        ("", "c", ["set CODEX_HOME to an absolute path"]),
        ("/s", "c", []),
        ("/s", "", []),
        ("", "/c", []),
    ],
)
@pytest.mark.usefixtures("homeless")
async def test_without_a_home_there_is_no_config_of_ones_own_and_all_else_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    provider: SimulatedProvider,
    setting: str,
    told: str,
    doubts: list[str],
) -> None:
    settings, environment = {"codexHome": setting}, {"CODEX_HOME": told}
    file = tmp_path / "x.toml"
    file.write_text(provider.config_toml("tee"), "utf-8")
    async with a_world(
        tmp_path, monkeypatch, trusting=[provider], settings=settings, environment=environment
    ) as world:
        for complaint, doubt in zip(world.complaints, doubts, strict=True):
            assert doubt in complaint
        world.session.open(file.as_uri(), file.read_text("utf-8"), 1)
        await world.state("tee", "affirmed")


@pytest.mark.usefixtures("homeless")
def test_without_a_home_nothing_is_kept_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for home in (None, "relative"):
        if home is not None:
            monkeypatch.setenv("HOME", home)
        for directory in (private_files.state_directory(), private_files.cache_directory()):
            assert private_files.read(directory / "file") is None
            with pytest.raises(OSError, match="exists"):
                private_files.write(directory / "file", b"")
            CollateralStore(directory).clear()
    assert list(tmp_path.iterdir()) == []
