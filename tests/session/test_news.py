"""Each status is told once, and what many changes show is shown once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from ratls_ls.config.span import PositionEncoding
from ratls_ls.session import OpenFile
from ratls_ls.session import news as news_module
from ratls_ls.session.files import Files
from ratls_ls.session.news import News
from ratls_ls.settings import Settings
from ratls_ls.status import UNCHECKED, ProviderStatus, State

URI = "untitled:1"
TEE = """\
[model_providers.tee]
name = "tee"
base_url = "https://tee.example/v1"
use_ratls = true
"""


@dataclass
class Room:
    status: ProviderStatus = UNCHECKED
    told: list[tuple[str, str]] = field(default_factory=list)
    shown: list[int | None] = field(default_factory=list)
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    news: News = field(init=False)
    files: Files = field(init=False)

    def __post_init__(self) -> None:
        self.files = Files(Settings(), {}, on_read=lambda _: None, on_gone=lambda _: None)
        self.news = News(
            status=lambda _: self.status,
            current=self._current,
            publish=lambda entry, _: self.shown.append(entry.version),
            changed=self._changed,
            encoding=PositionEncoding.UTF_16,
        )

    def _current(self, uri: str) -> OpenFile | None:
        asyncio.get_running_loop().call_soon(self.looked.set)
        return self.files.get(uri)

    def _changed(self, status: dict[str, Any]) -> None:
        self.told.append((status["provider"], status["state"]))

    def text(self, text: str, version: int = 1) -> OpenFile:
        return self.files.change(URI, text, version)

    async def soon(self, do: Callable[[OpenFile], None], entry: OpenFile) -> None:
        """Do it, several times, and wait until its time has come."""
        self.looked.clear()
        for _ in range(3):
            do(entry)
        await self.looked.wait()


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(news_module, "TELL_SECONDS", 0)
    return Room()


async def test_what_is_as_it_always_was_is_not_told(room: Room) -> None:
    off = TEE.replace("tee", "off").replace("use_ratls = true", "")
    await room.soon(room.news.tell_soon, room.text(TEE + off))
    assert room.told == []


async def test_a_status_is_told_once_and_again_when_it_changes(room: Room) -> None:
    for state in (State.AFFIRMED, State.AFFIRMED, State.STALE, State.UNCHECKED):
        room.status = ProviderStatus(state)
        await room.soon(room.news.tell_soon, room.text(TEE))
    assert room.told == [("tee", "affirmed"), ("tee", "stale"), ("tee", "unchecked")]


async def test_an_edit_is_told_of_as_invalid_disabled_or_gone(room: Room) -> None:
    room.status = ProviderStatus(State.AFFIRMED)
    texts = [TEE, TEE.replace("https", "ftp"), TEE.replace("true", "false"), TEE, "", "", TEE]
    for text in texts:
        await room.soon(room.news.tell_soon, room.text(text))
    states = [state for _, state in room.told]
    assert states == ["affirmed", "invalid", "disabled", "affirmed", "disabled", "affirmed"]


async def test_a_file_that_is_gone_takes_its_providers_with_it(room: Room) -> None:
    room.status = ProviderStatus(State.AFFIRMED)
    entry = room.text(TEE)
    await room.soon(room.news.tell_soon, entry)
    room.news.tell_end(entry)
    assert room.told == [("tee", "affirmed"), ("tee", "disabled")]


async def test_many_changes_are_shown_once_and_as_the_file_is_then(room: Room) -> None:
    room.news.show_soon(room.text(TEE, 1))
    await room.soon(room.news.show_soon, room.text(TEE + "\n", 2))
    assert room.shown == [2]


async def test_what_is_not_open_or_not_served_is_not_shown(room: Room) -> None:
    room.news.show(room.text("[project]\n"))
    entry = room.text(TEE)
    entry.open = False
    room.news.show(entry)
    assert room.shown == []


async def test_after_the_end_nothing_is_told(room: Room) -> None:
    room.status = ProviderStatus(State.AFFIRMED)
    entry = room.text(TEE)
    room.news.tell_soon(entry)
    room.news.show_soon(entry)
    room.news.stop()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (room.told, room.shown) == ([], [])
