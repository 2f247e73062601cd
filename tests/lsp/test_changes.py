"""Documents stay what the client has, and no message that does not fit changes them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratls_ls.config.span import LineIndex, PositionEncoding
from ratls_ls.lsp.changes import changed

TEXTS = st.text(alphabet='ab=[]"# \n\r\U0001f600é\u4e2d', max_size=40)
ENCODINGS = st.sampled_from(PositionEncoding)
CODECS = {
    PositionEncoding.UTF_8: "utf-8",
    PositionEncoding.UTF_16: "utf-16-le",
    PositionEncoding.UTF_32: "utf-32-le",
}
UNIT_BYTES = {PositionEncoding.UTF_8: 1, PositionEncoding.UTF_16: 2, PositionEncoding.UTF_32: 4}


def position(text: str, offset: int, encoding: PositionEncoding) -> dict[str, int]:
    """As a client counts that keeps its text in lines of code units."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    units = len(before[-1].encode(CODECS[encoding])) // UNIT_BYTES[encoding]
    return {"line": len(before) - 1, "character": units}


@given(st.data(), TEXTS, ENCODINGS)
def test_any_edits_give_the_text_that_the_client_has(
    data: st.DataObject, text: str, encoding: PositionEncoding
) -> None:
    theirs, changes = text, []
    for _ in range(data.draw(st.integers(1, 4))):
        # No editor puts a cursor inside of a line break.
        places = [at for at in range(len(theirs) + 1) if theirs[max(at - 1, 0) : at + 1] != "\r\n"]
        start, end = sorted(data.draw(st.lists(st.sampled_from(places), min_size=2, max_size=2)))
        new_text = data.draw(TEXTS)
        place = {
            "start": position(theirs, start, encoding),
            "end": position(theirs, end, encoding),
        }
        changes.append({"range": place, "text": new_text})
        theirs = theirs[:start] + new_text + theirs[end:]
    assert changed(LineIndex(text), changes, encoding) == theirs


def test_a_whole_text_replaces_all_before_it() -> None:
    changes = [{"text": "one\n"}, {"text": "two\n"}]
    assert changed(None, changes, PositionEncoding.UTF_16) == "two\n"


AT = {"line": 0, "character": 0}
RANGE = {"start": AT, "end": AT}


@pytest.mark.parametrize(
    "changes",
    [
        None,
        [None],
        [{}],
        [{"text": None}],
        [{"text": 1, "range": RANGE}],
        [{"text": "", "range": {"start": AT}}],
        [{"text": "", "range": {"start": AT, "end": {"line": "0", "character": 0}}}],
        [{"text": "", "range": {"start": AT, "end": {"line": 0, "character": 0.5}}}],
        [{"text": "", "range": []}],
    ],
)
def test_what_does_not_fit_is_refused(changes: Any) -> None:
    with pytest.raises((TypeError, ValueError, KeyError, AttributeError)):
        changed(LineIndex("text"), changes, PositionEncoding.UTF_16)


@pytest.mark.parametrize("changes", [[], [{"text": "x", "range": RANGE}]])
def test_a_part_of_an_unknown_text_is_refused(changes: Any) -> None:
    with pytest.raises(ValueError, match="not known"):
        changed(None, changes, PositionEncoding.UTF_16)
