"""Which configs are in play, by what name, and as what."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ratls_ls import bounded
from ratls_ls.config.context import Context
from ratls_ls.session import OpenFile
from ratls_ls.session import files as files_module
from ratls_ls.session.files import Files
from ratls_ls.session.places import context_of, is_nothing_at, text_at
from ratls_ls.settings import Settings
from tests.pipes import lonely_pipe

CONFIG = '[model_providers.tee]\nname = "tee"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".codex").mkdir()
    return tmp_path


@pytest.fixture
def gone() -> list[str]:
    return []


PLACES = {"undefined-provider", "ignored-in-project"}


def listing(home: Path, on_gone: Callable[[OpenFile], None] = lambda _: None) -> Files:
    """The files of a user whose config is in `home`."""
    environment = {"CODEX_HOME": str(home), "KEY": "x"}
    return Files(Settings(), environment, on_read=lambda _: None, on_gone=on_gone)


def codes(entry: OpenFile | None) -> set[str]:
    assert entry is not None
    return {problem.code for problem in entry.problems}


@pytest.fixture
def files(home: Path, gone: list[str]) -> Files:
    return listing(home / ".codex", lambda entry: gone.append(entry.uri))


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_is_on_disk_is_saved(files: Files, home: Path, mark: str) -> None:
    file = home / "config.toml"
    file.write_text(mark + CONFIG, "utf-8")
    assert files.open(file.as_uri(), CONFIG, 1).saved
    assert not files.open(file.as_uri(), CONFIG + "\n", 2).saved
    found = files.named(file.as_uri())
    assert found is not None
    assert found.text == CONFIG + "\n"


def test_what_is_edited_until_it_is_as_on_disk_is_saved(files: Files, home: Path) -> None:
    file = home / "config.toml"
    file.write_text(CONFIG, "utf-8")
    uri = file.as_uri()

    def saved(text: str) -> bool:
        return files.change(uri, text, 1).saved

    files.open(uri, CONFIG, 1)
    assert [saved(text) for text in ("#" + CONFIG, CONFIG)] == [False, True]
    # As an editor saves, and as others do.
    assert not saved("# 1\n" + CONFIG)
    entry = files.save(uri)
    assert entry is not None
    assert entry.saved
    assert not saved(CONFIG)
    for found, text in (("# 2\n", CONFIG), ("# 3\n", "# 3\n")):
        file.write_text(found, "utf-8")
        files.reread(uri)
        assert saved(text) is (found == text)
    # Other settings change nothing of that.
    files.configure(Settings())
    found = files.get(uri)
    assert found is not None
    assert found.saved
    # As a file that is written anew, of which the disk has nothing for a moment.
    file.unlink()
    files.reread(uri)
    assert saved("# 3\n")
    assert files.save("untitled:1") is None


async def test_a_long_text_is_read_ahead_in_another_thread(
    files: Files, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def noting(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return judge(*arguments)

    occupied = threading.Event()
    for _ in range(100):  # as name servers do that do not answer
        asyncio.get_running_loop().run_in_executor(None, occupied.wait)
    judge = files_module._judged
    monkeypatch.setattr(files_module, "_judged", noting)
    uri = (home / ".codex" / "config.toml").as_uri()
    text = CONFIG + "# \n" * files_module.LONG_NEWS
    reading = files.read_ahead(uri, text)
    assert reading is not None
    await asyncio.wait_for(reading, 10)
    occupied.set()
    other = files.change((home / "other.toml").as_uri(), CONFIG, 1)
    entry = files.change(uri, text, 1)
    assert (entry.text, other.text) == (text, CONFIG)
    assert list(entry.file.providers) == ["tee"]
    # What is meant for another text is not taken, and a short one is read where it is needed.
    reading = files.read_ahead(uri, text + text)
    assert reading is not None
    await reading
    assert files.change(uri, "# " + text, 2).text == "# " + text
    assert files.read_ahead(uri, CONFIG) is None
    here = threading.main_thread()
    assert [thread is here for thread in threads] == [False, True, False, True]


def test_every_spelling_of_a_uri_names_the_same_file(files: Files, home: Path) -> None:
    file = home / ".codex" / "config.toml"
    odd = file.as_uri().replace("config", "%63onfig")
    entry = files.change(odd, CONFIG, 1)
    assert files.default is entry
    assert files.get(file.as_uri().replace("file://", "file://localhost")) is entry
    assert entry.uri == odd


@pytest.mark.parametrize(
    ("name", "text", "served"),
    [
        (".codex/config.toml", "", True),
        (".codex/work.config.toml", "", True),
        ("project/.codex/config.toml", "", True),
        ("project/.codex/other.toml", "", False),
        ("project/pyproject.toml", "[project]\n", False),
        ("config.toml", "", False),
        ("anything.toml", CONFIG, True),
    ],
)
def test_what_is_served(files: Files, home: Path, name: str, text: str, served: bool) -> None:
    assert files.change((home / name).as_uri(), text, 1).served is served


def test_a_document_that_was_served_stays_so_while_it_is_open(files: Files) -> None:
    assert files.change("untitled:1", CONFIG, 1).served
    assert files.change("untitled:1", "[", 2).served
    files.close("untitled:1")
    assert not files.change("untitled:1", "[", 3).served


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("config.toml", {"undefined-provider"}),
        ("work.config.toml", set()),
        ("project/.codex/config.toml", {"ignored-in-project"}),
    ],
)
def test_a_file_is_judged_by_where_it_is(
    files: Files, home: Path, name: str, found: set[str]
) -> None:
    place = home / ("" if "/" in name else ".codex") / name
    text = f'model_provider = "elsewhere"\n{CONFIG}'
    assert codes(files.change(place.as_uri(), text, 1)) & PLACES == found


@pytest.mark.parametrize("linked", ["directory", "file"])
@pytest.mark.parametrize("by_link", [True, False])
def test_the_users_own_config_is_known_behind_links(
    tmp_path: Path, linked: str, by_link: bool
) -> None:
    real, home = tmp_path / "dotfiles" / ".codex", tmp_path / "home" / ".codex"
    real.mkdir(parents=True)
    (real / "config.toml").write_text(CONFIG, "utf-8")
    if linked == "directory":
        home.parent.mkdir()
        home.symlink_to(real)
    else:
        home.mkdir(parents=True)
        (home / "config.toml").symlink_to(real / "config.toml")
    files = listing(home)
    opened = ((home if by_link else real) / "config.toml").as_uri()
    assert codes(files.change(opened, CONFIG, 1)) & PLACES == set()
    assert context_of(real / "config.toml", home, None).kind == "user"


@pytest.mark.parametrize("name", ["work.config.toml", "tee.toml"])
def test_a_profile_is_known_behind_links(home: Path, name: str) -> None:
    """`name`: that of the file which has its name as a profile by a link."""
    codex, dotfiles = home / ".codex", home / "dotfiles"
    (codex / "config.toml").write_text(CONFIG, "utf-8")
    dotfiles.mkdir()
    real, other, link = dotfiles / name, dotfiles / "other.config.toml", codex / "work.config.toml"
    real.write_text(PROFILE, "utf-8")
    (dotfiles / "to-real").symlink_to(real)
    link.symlink_to(dotfiles / "to-real")
    (home / "to-link.toml").symlink_to(link)
    (codex / "AGENTS.md").symlink_to(other)
    files = listing(codex)
    for path in (link, real, dotfiles / "to-real", home / "to-link.toml"):
        context = context_of(path, codex, None)
        assert context.kind == "profile"
        assert context.base is not None
        assert "undefined-provider" in codes(files.open(path.as_uri(), PROFILE, 1))
    assert context_of(other, codex, None) == Context("user")
    assert not files.change(other.as_uri(), PROFILE, 1).served


def test_no_config_is_the_users_own_for_where_the_server_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    file = tmp_path / ".codex" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(CONFIG, "utf-8")
    files = listing(Path(".codex"))
    assert "ignored-in-project" in codes(files.change(file.as_uri(), CONFIG, 1))
    assert files.default is None


def test_a_keystroke_follows_no_links(
    files: Files, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = (home / ".codex" / "config.toml").as_uri()
    files.change(uri, CONFIG, 1)
    monkeypatch.setattr("os.path.realpath", lambda _: pytest.fail("the disk was asked"))
    assert files.change(uri, CONFIG + "\n", 2).served


PROFILE = 'model_provider = "te"\n'


def test_a_profile_refers_to_what_the_user_has(files: Files, home: Path) -> None:
    own, profile = home / ".codex" / "config.toml", home / ".codex" / "work.config.toml"
    own.write_text(CONFIG, "utf-8")
    opened = files.open(profile.as_uri(), PROFILE, 1)
    assert "undefined-provider" in codes(opened)
    base = context_of(profile, own.parent, None).base
    assert base is not None
    assert list(base.by_id) == ["tee"]
    # As the user's own is edited, so what it bears on is judged.
    files.change(own.as_uri(), CONFIG.replace("tee", "te"), 1)
    assert "undefined-provider" not in codes(files.get(profile.as_uri()))
    files.change(own.as_uri(), CONFIG, 2)
    assert "undefined-provider" in codes(files.get(profile.as_uri()))
    files.change(own.as_uri(), CONFIG + "[\na = 1", 3)
    assert "undefined-provider" not in codes(files.get(profile.as_uri()))


def test_a_user_level_config_that_comes_and_goes_is_heard_of(files: Files, home: Path) -> None:
    own, profile = home / ".codex" / "config.toml", home / ".codex" / "work.config.toml"
    opened = files.open(profile.as_uri(), PROFILE, 1)
    assert "undefined-provider" not in codes(opened)
    own.write_text(CONFIG, "utf-8")
    files.reread(own.as_uri())
    assert "undefined-provider" in codes(files.get(profile.as_uri()))
    own.unlink()
    files.reread(own.as_uri())
    assert "undefined-provider" not in codes(files.get(profile.as_uri()))


def test_a_profile_is_judged_as_it_is_laid_over_the_users_own(files: Files, home: Path) -> None:
    own, profile = home / ".codex" / "config.toml", home / ".codex" / "work.config.toml"
    attested = CONFIG + 'base_url = "https://tee.example"\nenv_key = "KEY"\nuse_ratls = true\n'
    own.write_text(attested, "utf-8")
    text = "[model_providers.tee]\nrequest_max_retries = 1\n"
    opened = files.open(profile.as_uri(), text, 1)
    assert not codes(opened)
    (provider,) = opened.providers
    base = files.default
    assert base is not None
    assert provider == replace(base.providers[0], request_max_retries=1)
    assert opened.ids == base.ids
    # As the user's own is edited, so another policy counts.
    files.change(own.as_uri(), attested + "ratls_policy = { x = 1 }\n", 1)
    judged = files.get(profile.as_uri())
    assert judged is not None
    assert not judged.providers


def test_a_profile_is_in_doubt_until_the_users_own_was_looked_at(
    files: Files, tmp_path: Path, home: Path
) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text(CONFIG, "utf-8")
    own, profile = home / ".codex" / "config.toml", home / ".codex" / "work.config.toml"
    files.change(profile.as_uri(), CONFIG, 1)
    assert "base-in-doubt" in codes(files.get(profile.as_uri()))
    assert files.default is None
    assert "base-in-doubt" not in codes(files.get(profile.as_uri()))
    # That it is closed by another name makes it no less known.
    own.symlink_to(real)
    files.open(real.as_uri(), CONFIG, 1)
    files.close(real.as_uri())
    judged = files.get(profile.as_uri())
    assert judged is not None
    assert judged.context.base is not None
    assert list(judged.context.base.by_id) == ["tee"]


def test_what_is_certainly_nowhere(tmp_path: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    file = tmp_path / "file"
    file.write_text("", "utf-8")
    nowhere = (None, tmp_path / "gone", file / "below", Path("\0"))
    assert all(map(is_nothing_at, nowhere))
    # Nobody may look behind a circle.
    assert not any(map(is_nothing_at, (file, circle, circle / "config.toml")))


def test_a_keystroke_in_a_profile_asks_no_disk(
    files: Files, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, profile = home / ".codex" / "config.toml", home / ".codex" / "work.config.toml"
    own.write_text(CONFIG, "utf-8")
    files.open(profile.as_uri(), PROFILE, 1)
    for name in ("stat", "open", "glob"):
        monkeypatch.setattr(Path, name, lambda *_, **__: pytest.fail("the disk was asked"))
    entry = files.change(profile.as_uri(), PROFILE + "\n", 2)
    assert "undefined-provider" in codes(entry)
    base = files.base(entry)
    assert base is not None
    assert base.uri == own.as_uri()


def test_who_shares_an_id(files: Files, home: Path) -> None:
    codex = home / ".codex"
    (codex / "config.toml").write_text(CONFIG, "utf-8")
    (codex / "work.config.toml").write_text(PROFILE, "utf-8")
    place = home / "project" / ".codex" / "config.toml"
    project = files.change(place.as_uri(), PROFILE, 1)
    elsewhere = files.change((home / "x.toml").as_uri(), CONFIG, 1)
    names = ["config.toml", "work.config.toml"]

    def sharing(entry: OpenFile) -> list[str]:
        first, *others = [Path(each.uri).name for each in files.sharing(entry, "tee")]
        return [first, *sorted(others)]

    own = files.default
    assert own is not None
    assert sharing(own) == ["config.toml", *names]
    assert sharing(project) == ["config.toml", *names]
    assert sharing(elsewhere) == ["x.toml"]
    assert files.base(own) is files.base(elsewhere) is None
    assert files.base(project) is own
    itself = files.change(project.uri, CONFIG, 2)
    assert sharing(itself) == ["config.toml"]
    assert sharing(own) == names


def test_of_very_many_profiles_not_all_are_read(
    files: Files, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "MAX_PROFILES", 2)
    for name in ("config.toml", "1.config.toml", "2.config.toml", "3.config.toml"):
        (home / ".codex" / name).write_text(CONFIG, "utf-8")
    own = files.default
    assert own is not None
    names = {Path(each.uri).name for each in files.sharing(own, "tee")}
    assert names == {"config.toml", "1.config.toml", "2.config.toml"}


def test_the_users_own_counts_as_it_is_open_wherever_it_is(tmp_path: Path) -> None:
    real, home = tmp_path / "dotfiles", tmp_path / "home"
    real.mkdir()
    (real / "config.toml").write_text(CONFIG, "utf-8")
    home.symlink_to(real)
    files = listing(home)
    (real / "work.config.toml").write_text(PROFILE, "utf-8")
    entry = files.change((real / "config.toml").as_uri(), CONFIG + "# new\n", 1)
    profile = files.change((real / "work.config.toml").as_uri(), PROFILE, 1)
    assert files.default is entry
    assert files.sharing(profile, "te") == [profile, entry]


def test_few_closed_files_are_remembered(
    files: Files, home: Path, gone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "MAX_CLOSED_FILES", 2)
    paths = [home / f"{index}.toml" for index in range(4)]
    for path in paths:
        path.write_text(CONFIG, "utf-8")
        files.named(path.as_uri())
        files.named(paths[0].as_uri())
    assert gone == [path.as_uri() for path in paths[1:3]]
    assert {entry.uri for entry in files.all} == {paths[0].as_uri(), paths[3].as_uri()}


def test_a_closed_document_that_is_nowhere_else_is_gone(files: Files, gone: list[str]) -> None:
    files.change("untitled:1", CONFIG, 1)
    files.close("untitled:1")
    files.close("untitled:1")
    assert gone == ["untitled:1"]


def test_a_file_too_large_or_not_text_is_no_config(
    files: Files, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / ".codex" / "config.toml"
    file.write_bytes(CONFIG.encode() + b"# \xff")
    assert files.default is None
    file.write_text(CONFIG, "utf-8")
    assert files.default is not None
    monkeypatch.setattr(bounded, "MAX_FILE_BYTES", 10)
    file.write_text(CONFIG + "\n", "utf-8")
    assert files.default is None


def test_no_part_of_a_file_is_its_text_and_no_pipe_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbf# \xc3\xa4\r\n")
    assert text_at(file) == "# ä\r\n"
    monkeypatch.setattr(bounded, "MAX_FILE_BYTES", file.stat().st_size - 1)
    assert text_at(file) is None
    assert text_at(tmp_path) is None
    with lonely_pipe(file):
        assert text_at(file) is None


def test_who_else_can_change_a_file_is_known(files: Files, home: Path) -> None:
    file = home / ".codex" / "config.toml"
    file.write_text(CONFIG, "utf-8")
    for mode, exposed in ((0o666, True), (0o600, False)):
        file.chmod(mode)
        entry = files.open(file.as_uri(), CONFIG, 1)
        assert ("exposed-file" in {problem.code for problem in entry.problems}) is exposed
    file.chmod(0o666)
    files.save(file.as_uri())
    assert "exposed-file" in codes(files.get(file.as_uri()))
    file.chmod(0o600)
    files.reread(file.as_uri())
    assert "exposed-file" not in codes(files.get(file.as_uri()))
    assert files.change("untitled:1", CONFIG, 1).context.mode is None
    assert context_of(home, home, None).mode is None


def test_a_file_changed_behind_its_old_size_and_time_is_read_again(
    files: Files, home: Path
) -> None:
    file = home / ".codex" / "config.toml"
    file.write_text(CONFIG, "utf-8")
    before = file.stat()
    found = files.named(file.as_uri())
    assert found is not None
    assert found.text == CONFIG
    changed = CONFIG.replace('"tee"', '"TEE"')
    while file.stat().st_ctime_ns == before.st_ctime_ns:  # its clock may tick slowly
        file.write_text(changed, "utf-8")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    found = files.named(file.as_uri())
    assert found is not None
    assert found.text == changed
