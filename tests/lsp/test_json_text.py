"""JSON that is checked piece by piece, where the size of it matters."""

from __future__ import annotations

import json
import time

import pytest

from ratls_ls.lsp import json_text
from tests.fuzz.test_json_text_fuzz import is_json

MEBIBYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("opened", "closed"),
    [("[", "]"), ("[1,", "]"), ('{"a":', "}"), ('{"a":1,"b":', "}")],
)
def test_how_deep(opened: str, closed: str) -> None:
    def nested(depth: int) -> bytes:
        return f"{opened * (depth - 1)}[]{closed * (depth - 1)}".encode()

    assert is_json(nested(json_text.MAX_DEPTH))
    assert not is_json(nested(json_text.MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "text",
    [
        '"' + "x" * MEBIBYTE + '"',
        '"' + r"\u00e4\n" * (MEBIBYTE // 8) + '"',
        "[" + "1," * (MEBIBYTE // 2) + "1]",
        "[" + "[[[[[[]]]]]]," * (MEBIBYTE // 13) + "1]",
        "[" + '{"a":[{"b":[{"c":{"d":1}}]}]},' * (MEBIBYTE // 31) + "1]",
        " " * MEBIBYTE + "1" + " " * MEBIBYTE,
    ],
    ids=["string", "escapes", "numbers", "brackets", "objects", "blanks"],
)
def test_no_piece_takes_long(text: str) -> None:
    """A hundredth of the whole, in the thread's own time, and then some for a busy machine."""
    taken, begun = [], time.thread_time()
    for _ in json_text.check(text.encode()):
        taken.append(time.thread_time() - begun)
        begun = time.thread_time()
    assert len(taken) > MEBIBYTE // json_text.PIECE_BYTES
    assert sorted(taken)[-3] < 0.005


def test_what_is_cut_is_no_json() -> None:
    whole = json.dumps([{"a": ["ä", -1.5e3, True]}, []], ensure_ascii=False).encode()
    assert is_json(whole)
    assert not any(is_json(whole[:length]) for length in range(len(whole)))


def test_a_string_that_is_not_utf_8_is_refused() -> None:
    assert not is_json(b'"\xff"')
    assert not is_json(b'"\xed\xa0\x80"')
    with pytest.raises(UnicodeDecodeError):
        list(json_text.quoted(b"\xc3"))
