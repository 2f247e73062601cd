"""What a `/tdx_quote` answer may look like (threats 7, 56, H); JSON with one reading only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ratls_ls.rats import strict_json
from ratls_ls.rats.errors import EvidenceError, foreign
from ratls_ls.rats.evidence import MAX_QUOTE_BYTES, Evidence, from_hex, parse_quote_response
from ratls_ls.rats.result import ClaimName


def answer(quote: object = "00ff", **changes: Any) -> dict[str, Any]:
    return {"success": True, "quote": {"quote": quote, "event_log": "[]"}, **changes}


def refused(body: object, word: str | None = None) -> EvidenceError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(EvidenceError, match=word) as caught:
        parse_quote_response(data)
    assert caught.value.claim is ClaimName.QUOTE_FORMAT
    return caught.value


class TestQuoteResponse:
    def test_quote_and_log(self) -> None:
        body = answer("00FFab") | {"quote_type": "tdx"}
        assert parse_quote_response(json.dumps(body).encode()) == Evidence(b"\x00\xff\xab", "[]")

    @pytest.mark.parametrize(
        ("sent", "kept"), [(None, None), ("", None), ("x", "x"), ([{"a": 1}], '[{"a": 1}]')]
    )
    def test_the_log_is_text_or_a_list_or_absent(self, sent: object, kept: str | None) -> None:
        body = {"success": True, "quote": {"quote": "00", "event_log": sent}}
        assert parse_quote_response(json.dumps(body).encode()).event_log == kept

    def test_an_absent_log(self) -> None:
        body = b'{"success":true,"quote":{"quote":"00"}}'
        assert parse_quote_response(body) == Evidence(b"\0", None)

    @pytest.mark.parametrize("log", [0, False, True, {}, 1.5])
    def test_a_log_of_another_type_is_left_to_its_own_claim(self, log: object) -> None:
        body = {"success": True, "quote": {"quote": "00", "event_log": log}}
        assert parse_quote_response(json.dumps(body).encode()).event_log == json.dumps(log)

    def test_nothing_else_of_the_answer_is_taken(self) -> None:
        extra = {"tcb_info": {"mrtd": "00"}, "timestamp": "now", "collateral": {}, "status": "OK"}
        body = answer() | extra
        body["quote"] |= {"report_data": "00", "vm_config": "{}", "hash_algorithm": "raw"}
        assert parse_quote_response(json.dumps(body).encode()) == Evidence(b"\x00\xff", "[]")

    @pytest.mark.parametrize("success", [False, None, 1, "true", [], {}])
    def test_success_is_true(self, success: object) -> None:
        refused(answer(success=success), "could not make a quote")

    def test_success_is_there(self) -> None:
        refused({"quote": {"quote": "00"}}, "could not make a quote")

    @pytest.mark.parametrize("quote_type", ["mock", "TDX", "sgx", "", None, 1, True, "a\x1b[31m"])
    def test_only_tdx(self, quote_type: object) -> None:
        error = refused(answer(quote_type=quote_type), "mock")
        assert "\x1b" not in (error.actual or "")
        assert error.expected == "quote_type tdx"


def test_foreign_words_are_shown_short_and_plain() -> None:
    assert foreign("mock") == "mock"
    assert foreign(None) == "None"
    assert foreign("a\x1b[31m\u202e") == "a\\x1b[31m\\u202e"
    assert foreign("x" * 100) == "x" * 60


class TestQuote:
    @pytest.mark.parametrize("quote", [None, "00", [], 1, True])
    def test_the_quote_is_in_an_object(self, quote: object) -> None:
        refused({"success": True, "quote": quote}, "no object")

    @pytest.mark.parametrize("quote", [None, "", 0, True, [], {}, ["00"]])
    def test_the_quote_is_text(self, quote: object) -> None:
        refused(answer(quote), "no text")

    @pytest.mark.parametrize(
        "quote", ["0", "0x00", "0X00", " 00", "00 ", "0 0 ", "00\n", "zz", "AAAA==", "é0", "０0"]
    )
    def test_the_quote_is_plain_hex(self, quote: str) -> None:
        refused(answer(quote), "hex")

    def test_the_quote_is_not_too_large(self) -> None:
        most = "00" * MAX_QUOTE_BYTES
        assert len(parse_quote_response(json.dumps(answer(most)).encode()).quote) == 64 * 1024
        error = refused(answer(most + "00"), "too large")
        assert (error.expected, error.actual) == ("at most 65536 bytes", "65537 bytes")

    @pytest.mark.parametrize("body", [b"", b"null", b"1", b"[]", b'"text"', b"true"])
    def test_the_answer_is_an_object(self, body: bytes) -> None:
        refused(body, "quote answer")


GOOD = b'{"success":true,"quote":{"quote":"00"}}'


class TestStrictJson:
    @pytest.mark.parametrize(
        ("body", "word"),
        [
            pytest.param(b"\xef\xbb\xbf" + GOOD, "byte order mark", id="UTF-8 BOM"),
            pytest.param("\ufeff".encode("utf-16-le") + GOOD, "UTF-8", id="UTF-16 BOM"),
            pytest.param(GOOD.decode().encode("utf-16-le"), "not JSON", id="UTF-16"),
            pytest.param(GOOD + b"x", "not JSON", id="trailing text"),
            pytest.param(GOOD + GOOD, "not JSON", id="two values"),
            pytest.param(GOOD + b"\0", "not JSON", id="trailing NUL"),
            pytest.param(b"\xff" + GOOD, "UTF-8", id="no UTF-8"),
            pytest.param(GOOD[:-1] + b',"a":"\xff"}', "UTF-8", id="no UTF-8 in text"),
            pytest.param(GOOD[:-1] + b',"a":"\xed\xa0\x80"}', "UTF-8", id="raw surrogate"),
            pytest.param(GOOD[:-1] + b',"a":"\\ud800"}', "UTF-8", id="lone surrogate"),
            pytest.param(GOOD[:-1] + b',"\\udfff":1}', "UTF-8", id="lone surrogate in a key"),
            pytest.param(GOOD[:-1] + b',"a":NaN}', "NaN", id="NaN"),
            pytest.param(GOOD[:-1] + b',"a":-Infinity}', "Infinity", id="Infinity"),
            pytest.param(GOOD[:-1] + b',"a":1e999}', "too large", id="infinite number"),
            pytest.param(GOOD[:-1] + b',"a":' + b"9" * 5000 + b"}", "too long", id="5000 digits"),
            pytest.param(GOOD[:-1] + b',"a":0.' + b"1" * 40 + b"}", "too long", id="long fraction"),
            pytest.param(GOOD[:-1] + b',"a":' + b"[" * 50_000 + b"}", "nested", id="deep list"),
            pytest.param(b'{"a":' * 50_000, "nested", id="deep object"),
            pytest.param(GOOD[:-1] + b',"success":true}', "twice", id="key twice"),
            pytest.param(GOOD[:-1] + b',"a":{"b":1,"b":1}}', "twice", id="key twice inside"),
            pytest.param(GOOD[:-1] + b',"\\u0073uccess":true}', "twice", id="key twice, escaped"),
            pytest.param(GOOD[:-1] + b',"a":"\n"}', "not JSON", id="control character"),
            pytest.param(GOOD[:-1] + b",}", "not JSON", id="trailing comma"),
            pytest.param(GOOD[:-1] + b",'a':1}", "not JSON", id="single quotes"),
            pytest.param(GOOD[:-1] + b',"a":01}', "not JSON", id="leading zero"),
            pytest.param(GOOD[:-1] + b"}//", "not JSON", id="comment"),
        ],
    )
    def test_whatever_has_two_readings_is_refused(self, body: bytes, word: str) -> None:
        refused(body, word)

    def test_a_pair_of_surrogates_is_one_character(self) -> None:
        assert strict_json.loads(b'"\\ud834\\udd1e"') == "𝄞"

    def test_values(self) -> None:
        text = ' {"a": [1, -2.5, true, false, null, "é"], "b": {}, "n": 1e3} '
        assert strict_json.loads(text) == json.loads(text)
        assert strict_json.loads(str(10**31)) == 10**31

    @pytest.mark.parametrize("digits", ["9", "0.1", "-1", "1e1"])
    def test_numbers_have_at_most_32_characters(self, digits: str) -> None:
        sign, rest = ("-", digits[1:]) if digits[0] == "-" else ("", digits)
        whole = sign + "1" * (32 - len(digits)) + rest
        assert len(whole) == 32
        assert strict_json.loads(whole) == json.loads(whole)
        with pytest.raises(strict_json.StrictJsonError, match="too long"):
            strict_json.loads(sign + "1" + whole.removeprefix("-"))

    @pytest.mark.parametrize("part", ["[],", "{},", "0,", '"",'])
    def test_it_has_so_many_parts_at_most(self, part: str) -> None:
        assert strict_json.MAX_PARTS == 65_536
        weight = sum(part.count(sign) for sign in ",[{")
        left = strict_json.MAX_PARTS - 1  # less the list that they are in
        text = "[" + left % weight * "0," + left // weight * part + '"["]'
        with pytest.raises(strict_json.StrictJsonError, match="too many parts"):
            strict_json.loads(text)
        assert len(strict_json.loads(text.replace('"["', '""'))) > 1

    def test_messages_repeat_nothing(self) -> None:
        with pytest.raises(strict_json.StrictJsonError) as caught:
            strict_json.loads('{"canary": canary}')
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "data"), [("", b""), ("00", b"\0"), ("aBcD", b"\xab\xcd"), ("0", None), ("0g", None)]
)
def test_from_hex(text: str, data: bytes | None) -> None:
    assert from_hex(text) == data


def test_size_counts_quote_and_log() -> None:
    assert Evidence(b"ab").size == 2
    assert Evidence(b"ab", "xyz").size == 5
