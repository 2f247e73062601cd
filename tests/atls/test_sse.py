"""Server-sent events, cut anywhere (WHATWG HTML, section 9.2)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratls_ls.atls import sse
from ratls_ls.atls.sse import ServerSentEvent, SseDecoder, SseError


def decoded(*chunks: bytes) -> list[tuple[str, str, str | None]]:
    decoder = SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [(event.event, event.data, event.id) for event in events]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ("data: a\n\n", [("message", "a", None)]),
        ("data:a\ndata: b\n\n", [("message", "a\nb", None)]),
        ("data\n\n", [("message", "", None)]),
        ("event: x\nid: 1\ndata: a\n\ndata: b\n\n", [("x", "a", "1"), ("message", "b", "1")]),
        ("id: a\0b\ndata: a\n\n", [("message", "a", None)]),
        (": comment\nretry: 3\nother: x\ndata:  a\n\n", [("message", " a", None)]),
        ("event: x\n\ndata: a\n\n", [("message", "a", None)]),
        ("data: a\r\n\r\ndata: b\r\rdata: c\n\n", [("message", text, None) for text in "abc"]),
        ("\ufeffdata: ä\n\n", [("message", "ä", None)]),
        ("data: a", []),
        ("data: a\n", []),
    ],
)
def test_events(stream: str, events: list[tuple[str, str, str | None]]) -> None:
    data = stream.encode()
    assert decoded(data) == events
    assert decoded(*(data[index : index + 1] for index in range(len(data)))) == events


@given(st.data(), st.lists(st.text(alphabet="ab :\r\n\x00ä𐐀", max_size=20), max_size=6))
def test_where_it_is_cut_makes_no_difference(drawn: st.DataObject, lines: list[str]) -> None:
    data = "".join(f"data: {line}\n\r\n" for line in lines).encode()
    cuts = sorted(drawn.draw(st.lists(st.integers(0, len(data)), max_size=5)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert decoded(*pieces) == decoded(data)


@pytest.mark.parametrize("stream", ["data: a", "data: a\n", "event: x\n", ": x", "data: a\n\r"])
def test_an_unfinished_event_is_pending(stream: str) -> None:
    decoder = SseDecoder()
    assert list(decoder.feed(stream.encode())) == []
    assert decoder.pending
    assert len(list(decoder.feed(b"\n\n"))) <= 1
    assert not decoder.pending


@pytest.mark.parametrize(
    "piece", [b"x" * 10, b"data: x\n", b"data\n", b"data:\n", b"event: x\ndata\n", b"event: x\n"]
)
def test_an_endless_event_is_refused(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    with pytest.raises(SseError):
        decoded(*[piece] * 2000)


def test_a_line_is_counted_from_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    decoder = SseDecoder()
    assert len(list(decoder.feed(b"data: a\n\n" + b"x" * 900))) == 1
    assert list(decoder.feed(b"x" * 100)) == []
    with pytest.raises(SseError):
        list(decoder.feed(b"x"))


def test_an_event_that_ends_in_carriage_returns_waits_for_one_byte_only() -> None:
    decoder = SseDecoder()
    assert list(decoder.feed(b"data: a\r\r")) == []
    assert [event.data for event in decoder.feed(b"d")] == ["a"]


def test_many_small_events_in_one_chunk_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    assert len(decoded(*[b"data: xxxxxxxxxx\n\n" * 1000] * 3)) == 3000


def test_a_large_event_takes_linear_time() -> None:
    for pieces in ([b"x" * 100] * 80_000, [b"data\n"] * 400_000):
        decoder = SseDecoder()
        started = time.process_time()
        list(decoder.feed(b"data: "))
        for piece in pieces:
            list(decoder.feed(piece))
        (event,) = decoder.feed(b"\n\n")
        assert isinstance(event, ServerSentEvent)
        assert time.process_time() - started < 5.0  # some tenths; squared it were minutes


def test_an_id_which_every_later_event_has_is_short() -> None:
    for size in (sse.MAX_ID_CHARACTERS, sse.MAX_ID_CHARACTERS + 1):
        stream = b"id: " + b"x" * size + b"\ndata\n\ndata\n\n"
        if size > sse.MAX_ID_CHARACTERS:
            with pytest.raises(SseError, match="id of an event"):
                decoded(stream)
        else:
            assert [len(identifier or "") for _, _, identifier in decoded(stream)] == [size] * 2


def test_what_is_not_utf8_is_refused() -> None:
    with pytest.raises(SseError):
        decoded(b"data: \xff\n\n")
