"""Offsets to lines and characters and back, in every encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratls_ls.config.span import LineIndex, Position, PositionEncoding

TEXT = "a\r\nüb\n🦀c\rd"

EXPECTED = {
    PositionEncoding.UTF_8: [(0, 0), (1, 0), (1, 2), (2, 0), (2, 4), (3, 0), (3, 1)],
    PositionEncoding.UTF_16: [(0, 0), (1, 0), (1, 1), (2, 0), (2, 2), (3, 0), (3, 1)],
    PositionEncoding.UTF_32: [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)],
}
OFFSETS = [0, 3, 4, 6, 7, 9, 10]


@pytest.mark.parametrize("encoding", list(PositionEncoding))
def test_positions_of_known_offsets(encoding: PositionEncoding) -> None:
    index = LineIndex(TEXT)
    found = [tuple(index.position(offset, encoding)) for offset in OFFSETS]
    assert found == EXPECTED[encoding]
    assert [index.offset(*position, encoding) for position in found] == OFFSETS


@pytest.mark.parametrize(
    ("position", "encoding", "offset"),
    [
        ((0, 99), PositionEncoding.UTF_16, 1),  # beyond the line: its end, before CRLF
        ((1, 99), PositionEncoding.UTF_8, 5),
        ((2, 1), PositionEncoding.UTF_16, 6),  # inside a surrogate pair: its start
        ((99, 0), PositionEncoding.UTF_16, len(TEXT)),
        ((-1, 5), PositionEncoding.UTF_16, 0),
        ((1, -5), PositionEncoding.UTF_16, 3),
    ],
)
def test_positions_that_are_not_there(
    position: tuple[int, int], encoding: PositionEncoding, offset: int
) -> None:
    assert LineIndex(TEXT).offset(*position, encoding) == offset


def test_offsets_that_are_not_there() -> None:
    assert LineIndex("ab").position(9) == Position(0, 2)
    assert LineIndex("ab").position(-9) == Position(0, 0)
    assert LineIndex("").position(0) == Position(0, 0)


@given(st.text(st.sampled_from("a\nü\r🦀\ud800")), st.sampled_from(PositionEncoding))
def test_every_offset_comes_back(text: str, encoding: PositionEncoding) -> None:
    index = LineIndex(text)
    for offset in range(len(text) + 1):
        inside_line_break = text[offset - 1 : offset + 1] == "\r\n"
        if not inside_line_break:
            assert index.offset(*index.position(offset, encoding), encoding) == offset
    lines = [index.line_span(line).of(text) for line in range(index.line_count)]
    assert "".join(lines) == text.replace("\r", "").replace("\n", "")


@given(st.text(st.sampled_from("a\nü🦀")))
def test_characters_count_what_the_encoding_encodes(text: str) -> None:
    index = LineIndex(text)
    for offset in range(len(text) + 1):
        before = text[text.rfind("\n", 0, offset) + 1 : offset]
        utf_16 = index.position(offset, PositionEncoding.UTF_16).character
        utf_8 = index.position(offset, PositionEncoding.UTF_8).character
        assert utf_16 == len(before.encode("utf-16-le")) // 2
        assert utf_8 == len(before.encode())
