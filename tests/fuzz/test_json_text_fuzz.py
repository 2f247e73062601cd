"""JSON checked piece by piece: the same verdict as of a reader that takes it whole."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ratls_ls.lsp import json_text
from tests.fuzz.test_rats_fuzz import JSON, edited

MANY = settings(max_examples=1500)
PIECES = st.sampled_from([6, 7, 16, 61, json_text.PIECE_BYTES])
TOKENS = (
    *("[", "]", "{", "}", ",", ":", " ", "\n", "true", "false", "null", "nul", "NaN", "-Infinity"),
    *("0", "-0", "1", "12", "01", "-", "1.5", "1.", ".5", "2e9", "2e+99", "1E-7", "1e", "1e999"),
    *('"', '""', '"a"', '"a":', '"ä🙂"', r'"\u00e4"', r'"\ud800"', r'"\u00g0"', r'"\x"', r'"\""'),
    *(
        "[[[[",
        "]]]]",
        '{"a":[{"b":[1]}]}',
        "[1,2]",
        "[1,]",
        "{}",
        "[]",
        '"\t"',
        '"\\t"',
        "9" * 330,
        f"[{'9' * 330},1]",
    ),
)


def is_json(text: bytes, piece: int = json_text.PIECE_BYTES) -> bool:
    try:
        for _ in json_text.check(text, piece):
            pass
    except ValueError:
        return False
    return True


def is_json_taken_whole(text: bytes) -> bool:
    def refuse(word: str) -> Any:
        raise ValueError(word)

    def finite(number: str) -> float:
        return refuse(number) if math.isinf(float(number)) else 0.0

    def deep(value: Any) -> int:
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(deep, inner), default=0) if isinstance(value, (dict, list)) else 0

    try:
        value = json.loads(
            text.decode("utf-8"), parse_constant=refuse, parse_float=finite, parse_int=finite
        )
    except (ValueError, RecursionError):
        return False
    return deep(value) <= json_text.MAX_DEPTH


@MANY
@given(st.lists(st.sampled_from(TOKENS), max_size=14).map("".join), PIECES)
def test_any_tokens(text: str, piece: int) -> None:
    assert is_json(text.encode(), piece) == is_json_taken_whole(text.encode())


@MANY
@given(JSON, st.sampled_from([None, 1]), st.booleans(), PIECES, st.data())
def test_any_json_as_it_is_and_edited(
    value: object, indent: int | None, ascii_only: bool, piece: int, data: st.DataObject
) -> None:
    written = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    text = written.encode("utf-8", "surrogatepass")
    assert is_json(text, piece) == is_json_taken_whole(text)
    broken = data.draw(edited(text))
    assert is_json(broken, piece) == is_json_taken_whole(broken)


@MANY
@given(st.binary(max_size=60), PIECES)
def test_any_bytes(text: bytes, piece: int) -> None:
    assert is_json(text, piece) == is_json_taken_whole(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(0, 70_000))
def test_any_text_can_be_read_from_its_json(text: str, more: int) -> None:
    text += "ä🙂" * (more // 4)
    assert json.loads(b"".join(json_text.quoted(text.encode()))) == text


@given(st.binary(), st.integers(0, 100_000))
def test_any_bytes_can_be_read_from_their_json(data: bytes, more: int) -> None:
    data += bytes(more)
    encoded = json.loads(b"".join(json_text.quoted_base64(data)))
    assert base64.b64decode(encoded, validate=True) == data
