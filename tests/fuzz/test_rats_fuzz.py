"""The verifier under any bytes: typed errors and failed claims only, and nothing wrong affirmed."""

# ruff: noqa: PT017 (an error is one of two right outcomes)

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratls_ls.rats import collateral as collaterals
from ratls_ls.rats import strict_json
from ratls_ls.rats.collateral import Collateral
from ratls_ls.rats.errors import CollateralError, EvidenceError
from ratls_ls.rats.event_log import NEW_TLS_CERTIFICATE, EventLog, parse
from ratls_ls.rats.evidence import Evidence, parse_quote_response
from ratls_ls.rats.quote import CollateralKey, collateral_key
from ratls_ls.rats.result import ClaimName
from tests.rats.world import World, collateral, log

FEW = settings(max_examples=150, suppress_health_check=list(HealthCheck))
WORLD = World()
QUOTE = WORLD.mint()
LOG = log()
AFFIRMED = replace(WORLD, quote=QUOTE).appraise()
COLLATERAL = collateral()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def edited(draw: st.DrawFn, data: bytes) -> bytes:
    """`data` with a few bytes changed, cut out or put in."""
    made = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(made)))
        match draw(st.sampled_from(["flip", "cut", "insert", "end"])):
            case "flip" if at < len(made):
                made[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del made[at : at + draw(st.integers(1, 40))]
            case "insert":
                made[at:at] = draw(st.binary(min_size=1, max_size=40))
            case _:
                del made[at:]
    return bytes(made)


@FEW
@given(st.binary(max_size=2000) | edited(QUOTE))
def test_any_quote(quote: bytes) -> None:
    try:
        assert isinstance(collateral_key(quote), CollateralKey)
    except EvidenceError as error:
        assert error.claim is ClaimName.QUOTE_FORMAT
    result = replace(WORLD, quote=quote).appraise()
    json.dumps(result.to_json())
    # Bytes between PEM blocks are signed by nobody; whatever is told is what was signed.
    assert result.measurements in ({}, AFFIRMED.measurements)


@st.composite
def edited_log(draw: st.DrawFn) -> list[Any]:
    made: list[Any] = [dict(event) for event in LOG]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(made) - 1))
        match draw(st.sampled_from(["swap", "drop", "again", "value", "strip", "name"])):
            case "swap":
                other = draw(st.integers(0, len(made) - 1))
                made[at], made[other] = made[other], made[at]
            case "drop" if len(made) > 1:
                del made[at]
            case "again":
                made.insert(at, draw(st.sampled_from(made)))
            case "strip":
                made[at] = {**made[at], "digest": ""}
            case "name":
                name = draw(st.sampled_from([event["event"] for event in LOG]))
                made[at] = {**made[at], "event": name}
            case _:
                key = draw(st.sampled_from([*LOG[0], "version", "preimage"]))
                made[at] = {**made[at], key: draw(JSON | st.integers(0, 4))}
    return made


def said(read: EventLog) -> list[tuple[str, bytes]]:
    return [(event.name, event.payload) for event in read.runtime_events]


@FEW
@given(edited_log())
def test_any_log_that_replays_says_what_was_said(events: list[Any]) -> None:
    text = json.dumps(events)
    result = replace(WORLD, quote=QUOTE, told=text).appraise()
    try:
        read = parse(text)
    except EvidenceError as error:
        assert error.claim is ClaimName.EVENT_LOG
        assert not result.affirmed
        return
    original = parse(json.dumps(LOG))
    if read.rtmrs == original.rtmrs:
        assert said(read) == said(original)
        assert result.affirmed
        assert result.measurements == AFFIRMED.measurements
    else:
        assert [claim.name for claim in result.failed_claims] == [ClaimName.EVENT_LOG]


@FEW
@given(st.text() | JSON.map(lambda value: json.dumps(value)) | edited(b"").map(repr))
def test_any_text_as_log(text: str) -> None:
    try:
        read = parse(text)
    except EvidenceError as error:
        assert error.claim is ClaimName.EVENT_LOG
    else:
        assert read.certificate_sha256 is None or NEW_TLS_CERTIFICATE in text
    json.dumps(replace(WORLD, quote=QUOTE, told=text).appraise().to_json())


ANSWER = json.dumps(
    {
        "success": True,
        "quote": {"quote": "00ff", "event_log": json.dumps(LOG[:1]), "report_data": "00"},
        "quote_type": "tdx",
    }
).encode()


@FEW
@given(st.binary() | edited(ANSWER) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_quote_answer(body: bytes) -> None:
    try:
        found = parse_quote_response(body)
    except EvidenceError as error:
        assert error.claim is ClaimName.QUOTE_FORMAT
        assert len(str(error)) < 200
    else:
        assert isinstance(found, Evidence)
        assert found.quote


@FEW
@given(st.text() | JSON.map(lambda value: json.dumps(value)))
def test_strict_json_reads_what_json_reads_or_nothing(text: str) -> None:
    try:
        value = strict_json.loads(text)
    except strict_json.StrictJsonError:
        return
    assert json.dumps(value) == json.dumps(json.loads(text))


@st.composite
def edited_collateral(draw: st.DrawFn) -> Collateral:
    name = draw(st.sampled_from([field.name for field in fields(Collateral)]))
    part = getattr(COLLATERAL, name)
    if isinstance(part, bytes):
        return replace(COLLATERAL, **{name: draw(edited(part))})
    made = draw(edited(part.encode()) | st.binary(max_size=40))
    return replace(COLLATERAL, **{name: made.decode("utf-8", "surrogateescape")})


@FEW
@given(edited_collateral())
def test_any_collateral(given_: Collateral) -> None:
    result = replace(WORLD, quote=QUOTE, collateral=given_).appraise()
    json.dumps(result.to_json())
    if result.affirmed:
        # Only what no signature covers may have changed: the text of a chain.
        signed = ("tcb_info", "qe_identity")
        assert all(getattr(given_, name) == getattr(COLLATERAL, name) for name in signed)


@FEW
@given(st.text() | JSON.map(lambda value: json.dumps(value)))
def test_any_collateral_document(text: str) -> None:
    try:
        assert isinstance(collaterals.from_json(text), Collateral)
    except CollateralError as error:
        assert len(str(error)) < 200


@FEW
@given(st.integers(), st.integers())
def test_any_time_and_any_minimum(now: int, minimum: int) -> None:
    result = replace(WORLD, quote=QUOTE, now=now, minimum_tcb_evaluation=minimum).appraise()
    json.dumps(result.to_json())
    assert not result.affirmed or minimum <= 20
