"""A long message means what it would if it were short, whatever is in it."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratls_ls.lsp import json_text, long_messages
from ratls_ls.lsp.methods import AttestedRequestParams, MethodError
from tests.fuzz.test_rats_fuzz import JSON, edited

MANY = settings(max_examples=500)
HALVES = st.sampled_from(["\ud83d", "\ude42", "\ud83d\ude42", "🙂", "\\", '"', "/", "ä"])
TEXT = st.lists(HALVES | st.text(), max_size=8).map("".join)
BASE64 = st.text(alphabet="QUJD+/=", max_size=30) | st.binary().map(
    lambda data: base64.b64encode(data).decode()
)
ODD = st.none() | st.integers(0, 9) | st.lists(st.integers(0, 9)) | TEXT
BODIES = st.one_of(
    st.fixed_dictionaries({"body": JSON}),
    st.fixed_dictionaries({"bodyText": TEXT | ODD}),
    st.fixed_dictionaries({"bodyBase64": BASE64 | ODD}),
    st.fixed_dictionaries({}, optional={"body": JSON, "bodyText": ODD, "bodyBase64": ODD}),
)
OTHERS = st.fixed_dictionaries(
    {"provider": st.just("tee"), "path": st.just("/x")},
    optional={"headers": st.dictionaries(st.text(), st.text(), max_size=2), "timeoutMs": ODD},
)
PARAMS = st.tuples(OTHERS, BODIES).map(lambda both: {**both[0], **both[1]})
MESSAGES = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "method": st.just("attestedRequest"), "params": PARAMS},
    optional={"id": st.integers() | JSON},
)


async def read(text: bytes) -> Any:
    """The message but for its body, and the body: what it is sent as, or why it is not."""
    try:
        message = await long_messages.parse(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("method") != "attestedRequest":
        return message
    params = message.pop("params", None)
    try:
        parsed = AttestedRequestParams.parse(await long_messages.read_body(params))
    except MethodError as error:
        return message, error.data
    body: Any = b"".join(parsed.body or ())
    if parsed.content_type == "application/json":
        body = json.loads(body)
    return message, parsed.content_type, body, parsed.headers, parsed.timeout_ms


def is_the_same_if_long(text: bytes) -> bool:
    short = asyncio.run(read(text))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(long_messages, "LONG_BYTES", len("null"))  # which is none
        return bool(asyncio.run(read(text)) == short)


@MANY
@given(MESSAGES, st.sampled_from([None, 1]), st.booleans(), st.data())
def test_any_message(
    message: object, indent: int | None, ascii_only: bool, data: st.DataObject
) -> None:
    written = json.dumps(message, indent=indent, ensure_ascii=ascii_only)
    text = written.encode("utf-8", "surrogatepass")
    assert is_the_same_if_long(text)
    assert is_the_same_if_long(data.draw(edited(text)))


@pytest.mark.parametrize(
    "text",
    [
        b'{"method":"attestedRequest","params":{GOOD,"body":1},"params":{GOOD}}',
        b'{"method":"attestedRequest","params":{GOOD,"body":1,"body":{"a":2}}}',
        b'{"method":"x","method":"attestedRequest","params":{GOOD,"body":1}}',
        b'{"method":"attestedRequest","params":[{GOOD,"body":1}]}',
        b'[{"method":"attestedRequest","params":{GOOD,"body":1}}]',
        b'{"method":"attestedRequest","params":{}}',
        b'{"method":"attestedRequest","id":{"params":{GOOD}}}',
        b'{"method":"attestedRequest","id":{"method":1,"body":2},"params":{GOOD,"body":{"x":1}}}',
        b'{"method":"attestedRequest","par\\u0061ms":{GOOD,"body":1}}',
        b'{"method":"attestedRequest","params":{GOOD,"b\\u006fdy":[1,2,3]}}',
        b'{"method":"attestedRequest","params":{GOOD,"body":NaN}}',
        b'{"method":"attestedRequest","params":{GOOD,"bodyText":[1,2,3]}}',
        b'{"method":"attestedRequest","params":{GOOD,"bodyText":[1,2,3],"bodyBase64":"QUJD"}}',
        b'\xef\xbb\xbf{"method":"attestedRequest","params":{GOOD,"body":2}}',
    ],
)
def test_odd_messages(text: bytes) -> None:
    assert is_the_same_if_long(text.replace(b"GOOD", b'"provider":"p","path":"/"'))


@pytest.mark.parametrize("end", ["", "=", "==", "====", "QQ==", "QUI=", "QQ==QUJD", "QQ=", "!QUJ"])
@pytest.mark.parametrize("shift", range(5))
def test_base64_of_more_than_one_piece(end: str, shift: int) -> None:
    """The end comes within the first piece, at its end or in the second one."""
    value = "QUJD" * (65_536 // 4 - shift) + end + "QUJD" * (shift % 2)
    params = {"provider": "p", "path": "/", "bodyBase64": value}
    message = {"id": 1, "method": "attestedRequest", "params": params}
    assert is_the_same_if_long(json.dumps(message).encode())


@given(TEXT, st.integers(0, 7))
def test_a_string_is_said_whatever_piece_it_is_cut_into(text: str, shift: int) -> None:
    """Of a length that has its cuts at every place of what is repeated."""
    text = "x" * shift + (text + "ä🙂") * (70_000 // (len(text) + 2))
    for ascii_only in (True, False):
        written = json.dumps(text, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        try:
            said = b"".join(json_text.unquoted(written))
        except UnicodeError:
            said = None
        try:
            meant = (
                json.loads(written).encode() if ascii_only else written.decode() and text.encode()
            )
        except UnicodeError:
            meant = None
        assert said == meant


async def test_only_a_long_body_is_left() -> None:
    long = ["x" * long_messages.LONG_BYTES]
    params = {"provider": "p", "body": long, "headers": {"x": "y"}}
    message = {"id": 1, "method": "attestedRequest", "params": params}
    parsed = await long_messages.parse(json.dumps(message).encode())
    left = parsed["params"].pop("body")
    assert isinstance(left, long_messages.Unread)
    assert json.loads(bytes(left.text)) == params.pop("body")
    assert parsed == message
    short = json.dumps({**message, "params": {**params, "body": "x"}}).encode()
    assert await long_messages.parse(short) == json.loads(short)
