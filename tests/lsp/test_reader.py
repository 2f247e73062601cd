"""Framing: the same messages, whatever the pieces that they come in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratls_ls.lsp import reader
from ratls_ls.lsp.reader import MAX_HEADER_BYTES, Framing, FramingError

heads = st.sampled_from(
    [
        b"Content-Length: %d\r\n\r\n",
        b"content-length:%d\n\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: %d\r\n\r\n",
        b"Content-Length: 7\r\nContent-Length: %d\r\n\r\n",
        b"\r\n\r\nContent-Length: %d\r\n \r\n",
        b"left over from a message that was longer than it said}Content-Length: %d\r\n\r\n",
        b"x" * MAX_HEADER_BYTES + b"Content-Length: 7\r\nContent-Length: %d\r\n\r\n",
    ]
)
bodies = st.one_of(st.binary(max_size=40), st.just(b"\r\n\r\nContent-Length: 3\r\n\r\n"))


def _messages(framing: Framing) -> Iterator[bytes | int]:
    while (message := framing.next()) is not None:
        yield message


@given(st.lists(st.tuples(heads, bodies)), st.lists(st.integers(1, 64)))
def test_messages_come_whole_in_whatever_pieces(
    sent: list[tuple[bytes, bytes]], sizes: list[int]
) -> None:
    stream = b"".join(head % len(body) + body for head, body in sent)
    framing, taken = Framing(), list[bytes | int]()
    for size in sizes:
        framing.feed(stream[:size])
        stream = stream[size:]
        taken += _messages(framing)
    framing.feed(stream)
    taken += _messages(framing)
    assert taken == [body for _, body in sent]


def test_a_message_that_is_too_long_is_skipped_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_MESSAGE_BYTES", 10)
    framing = Framing()
    framing.feed(b"Content-Length: 40\r\n\r\n12345")
    assert framing.next() is None
    nested = b"-" * 40 + b"\nContent-Length: 1\n\nx"
    framing.feed(b"x" * 35 + b"Content-Length: %d\r\n\r\n" % len(nested) + nested)
    framing.feed(b"Content-Length: 10\r\n\r\n1234567890")
    assert list(_messages(framing)) == [40, len(nested), b"1234567890"]


def test_an_absurd_length_cannot_be_followed() -> None:
    framing = Framing()
    framing.feed(b"Content-Length: 99999999999\r\n\r\n")
    with pytest.raises(FramingError, match="99999999999"):
        framing.next()


def test_a_line_longer_than_any_header_announces_nothing() -> None:
    framing = Framing()
    framing.feed(b"x" * MAX_HEADER_BYTES + b"Content-Length: 3\r\n\r\nabc\n")
    framing.feed(b"Content-Length: 2\r\n\r\nok")
    assert list(_messages(framing)) == [b"ok"]


def test_a_line_without_end_is_not_kept() -> None:
    framing = Framing()
    for _ in range(4):
        framing.feed(b"x" * MAX_HEADER_BYTES)
        assert framing.next() is None
    assert len(framing._bytes) <= MAX_HEADER_BYTES
