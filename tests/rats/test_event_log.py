"""Step 9 (threats B and H): digests are recomputed, registers replayed, names count once."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.event_log import MAX_EVENTS, RUNTIME_EVENT_TYPE, EventLog, parse
from ratls_ls.rats.evidence import MAX_EVENT_LOG_BYTES
from ratls_ls.rats.result import ClaimName

from .world import World, failures, log, logs

COMPOSE = logs.COMPOSE_HASH


def read(events: object) -> EventLog:
    return parse(json.dumps(events))


def event(**changes: Any) -> dict[str, Any]:
    """One sound runtime event, changed; None takes a key away."""
    made = {**logs.runtime_event("a name", b"payload"), **changes}
    return {key: value for key, value in made.items() if value is not None}


def v2(name: str, payload: bytes, **changes: Any) -> dict[str, Any]:
    preimage = (
        f'{{"name":{json.dumps(name, ensure_ascii=False)},"payload":"{payload.hex()}",'
        f'"type":{RUNTIME_EVENT_TYPE}}}'
    ).encode()
    made = {
        "imr": 3,
        "event_type": RUNTIME_EVENT_TYPE,
        "digest": hashlib.sha384(preimage).hexdigest(),
        "event": name,
        "event_payload": payload.hex(),
        "version": 2,
        "preimage": preimage.hex(),
        **changes,
    }
    return {key: value for key, value in made.items() if value is not None}


def refused(text: str, word: str = "event log") -> None:
    with pytest.raises(EvidenceError, match=word) as caught:
        parse(text)
    assert caught.value.claim is ClaimName.EVENT_LOG


class TestShape:
    @pytest.mark.parametrize(
        "text",
        ["", "{}", "null", "1", '"[]"', "[", "[]]", "[] []", "\ufeff[]", "[NaN]", "[1e999]"],
    )
    def test_only_a_list(self, text: str) -> None:
        refused(text)

    @pytest.mark.parametrize("item", [None, 1, "text", [], True])
    def test_of_objects(self, item: object) -> None:
        refused(json.dumps([item]), "event 0 is not an object")

    def test_no_key_twice(self) -> None:
        text = json.dumps([event()]).replace('"imr": 3', '"imr": 3, "imr": 3')
        refused(text, "twice")

    def test_nesting_beyond_reason(self) -> None:
        refused("[" * 50_000, "nested")

    @pytest.mark.parametrize("imr", ["3", True, False, 3.0, -1, 4, 9, 2**70, [3], {}])
    def test_imr(self, imr: object) -> None:
        refused(json.dumps([event(imr=imr)]), "imr")

    @pytest.mark.parametrize("kind", ["134217729", True, 134217729.0, [1], {}])
    def test_event_type(self, kind: object) -> None:
        refused(json.dumps([event(event_type=kind)]), "event_type")

    @pytest.mark.parametrize("key", ["imr", "event_type", "event", "event_payload"])
    def test_no_key_may_be_absent_or_null(self, key: str) -> None:
        refused(json.dumps([event(**{key: None})]), key)
        made = event()
        made[key] = None
        refused(json.dumps([made]), key)

    @pytest.mark.parametrize("name", [1, True, [], {}])
    def test_name(self, name: object) -> None:
        refused(json.dumps([event(event=name)]), "event")

    def test_a_name_that_is_no_text(self) -> None:
        refused('[{"event":"\\ud800"}]', "UTF-8")

    @pytest.mark.parametrize("key", ["digest", "event_payload"])
    @pytest.mark.parametrize(
        "value", ["0", "0x00", "0X00", " 00", "00 ", "0 0 ", "zz", "00\n", "é0", 0, [], {}, False]
    )
    def test_hex_is_plain(self, key: str, value: object) -> None:
        refused(json.dumps([event(**{key: value})]), key)

    @pytest.mark.parametrize("size", [1, 20, 32, 47, 49, 64])
    @pytest.mark.parametrize("imr", [0, 3])
    def test_digests_are_48_bytes(self, size: int, imr: int) -> None:
        refused(json.dumps([event(imr=imr, digest="00" * size)]), "48 bytes")

    def test_upper_case_hex_is_the_same(self) -> None:
        made = log()
        upper = [
            {**e, "digest": e["digest"].upper(), "event_payload": e["event_payload"].upper()}
            for e in made
        ]
        assert read(upper) == read(made)

    def test_limits(self) -> None:
        assert (MAX_EVENTS, MAX_EVENT_LOG_BYTES) == (4096, 1024 * 1024)
        one = event(digest=None, event_payload="", event="")
        assert len(read([one] * MAX_EVENTS).events) == MAX_EVENTS
        refused(json.dumps([one] * (MAX_EVENTS + 1)), "more than")
        blank = "[" + " " * (MAX_EVENT_LOG_BYTES - 2) + "]"
        assert parse(blank).events == ()
        refused(blank + " ", "larger")
        refused('["' + "é" * (MAX_EVENT_LOG_BYTES // 2) + '"]', "larger")


class TestDigests:
    def test_boot_digests_are_taken_as_they_are(self) -> None:
        made = logs.boot_event(1, b"kernel")
        assert read([made]).events[0].digest.hex() == made["digest"]

    @pytest.mark.parametrize("imr", [0, 1, 2])
    @pytest.mark.parametrize("digest", ["", None])
    def test_a_boot_event_needs_one(self, imr: int, digest: str | None) -> None:
        refused(json.dumps([event(imr=imr, digest=digest)]), "no digest")

    @pytest.mark.parametrize("digest", ["", None])
    def test_a_runtime_event_does_not(self, digest: str | None) -> None:
        assert read([event(digest=digest)]) == read([event()])

    def test_a_null_digest_is_an_absent_one(self) -> None:
        made = event()
        made["digest"] = None
        assert read([made]) == read([event()])

    @pytest.mark.parametrize(
        "change",
        [{"event": "a name "}, {"event_payload": b"other".hex()}, {"digest": "00" * 48}],
    )
    def test_an_edited_runtime_event_is_refused(self, change: dict[str, str]) -> None:
        refused(json.dumps([event(**change)]), "edited")

    @pytest.mark.parametrize("kind", [0, 1, 0x08000000, 0x08000002, 0x80000001, -1])
    def test_rtmr3_holds_nothing_else(self, kind: int) -> None:
        refused(json.dumps([event(event_type=kind)]), "no dstack runtime event")

    def test_registers_are_extended_in_order(self) -> None:
        made = log()
        assert list(read(made).rtmrs) == logs.replay(made)
        assert read([]).rtmrs == (bytes(48),) * 4


class TestFormat2:
    def test_the_digest_is_of_canonical_json(self) -> None:
        made = v2("compose-hash", COMPOSE)
        canonical = f'{{"name":"compose-hash","payload":"{COMPOSE.hex()}","type":134217729}}'
        assert read([made]).events[0].digest == hashlib.sha384(canonical.encode()).digest()

    @pytest.mark.parametrize("change", [{"digest": None}, {"digest": ""}, {"preimage": None}])
    def test_what_follows_from_the_rest_may_be_absent(self, change: dict[str, Any]) -> None:
        assert read([v2("n", b"p", **change)]) == read([v2("n", b"p")])

    @pytest.mark.parametrize("name", ['quote"', "back\\slash", "new\nline", "é", "\x7f", "𝄞", "/"])
    def test_names_are_escaped_as_rfc_8785_says(self, name: str) -> None:
        assert read([v2(name, b"")]).events[0].name == name

    @pytest.mark.parametrize(
        "preimage",
        [
            '{"type":134217729,"name":"n","payload":"70"}',
            '{"name": "n", "payload": "70", "type": 134217729}',
            '{"name":"m","payload":"70","type":134217729}',
            '{"name":"n","payload":"71","type":134217729}',
            '{"name":"n","payload":"70","type":134217730}',
            '{"name":"n","payload":"70","type":134217729}\n',
            "",
        ],
    )
    def test_a_preimage_that_is_not_canonical(self, preimage: str) -> None:
        digest = hashlib.sha384(preimage.encode()).hexdigest()
        refused(json.dumps([v2("n", b"p", preimage=preimage.encode().hex())]), "preimage")
        made = v2("n", b"p", preimage=preimage.encode().hex(), digest=digest)
        refused(json.dumps([made]), "preimage")
        refused(json.dumps([{**made, "preimage": None}]), "edited")

    @pytest.mark.parametrize("preimage", [1, "zz", "0", [], True])
    def test_a_preimage_that_is_no_hex(self, preimage: object) -> None:
        refused(json.dumps([v2("n", b"p", preimage=preimage)]), "preimage")

    @pytest.mark.parametrize("version", [0, 3, -1, True, False, "2", 2.0, 1.0, [], {}, 2**70])
    def test_other_versions(self, version: object) -> None:
        refused(json.dumps([v2("n", b"p", version=version)]), "version")
        refused(json.dumps([event(version=version)]), "version")

    def test_a_null_version(self) -> None:
        made = event()
        made["version"] = None
        refused(json.dumps([made]), "version")

    def test_formats_do_not_pass_for_each_other(self) -> None:
        refused(json.dumps([event(version=2)]), "edited")
        refused(json.dumps([v2("n", b"p", version=None)]), "edited")
        assert read([event(version=1)]) == read([event()])

    def test_a_whole_log(self) -> None:
        made = [
            v2(e["event"], bytes.fromhex(e["event_payload"])) if e["imr"] == 3 else e for e in log()
        ]
        world = World(log=made)
        result = world.appraise()
        assert result.affirmed
        assert result.measurements["composeHash"] == COMPOSE.hex()


class TestNames:
    def test_boot_values(self) -> None:
        read_log = read(log())
        assert read_log.boot_value("compose-hash") == COMPOSE
        assert read_log.boot_value("os-image-hash") == logs.OS_IMAGE_HASH
        assert read_log.boot_value("no such event") is None

    @pytest.mark.parametrize(
        "name", ["app-id", "compose-hash", "instance-id", "os-image-hash", "key-provider"]
    )
    def test_a_boot_event_stands_once(self, name: str) -> None:
        made = log()
        again = next(e for e in made if e["event"] == name)
        refused(json.dumps([*made[:5], again, *made[5:]]), f"{name} stands more than once")

    @pytest.mark.parametrize("name", ["compose-hash", "os-image-hash", "app-id"])
    def test_what_an_application_says_later_is_ignored(self, name: str) -> None:
        made = [*log(), logs.runtime_event(name, bytes(32))]
        assert read(made).boot_value(name) == read(log()).boot_value(name)
        assert World(log=made).appraise().affirmed

    def test_a_second_system_ready_starts_nothing_anew(self) -> None:
        made = [
            *log(),
            logs.runtime_event("compose-hash", bytes(32)),
            logs.runtime_event("system-ready", b""),
        ]
        assert read(made).boot_value("compose-hash") == COMPOSE

    @pytest.mark.parametrize("imr", [0, 1, 2])
    def test_boot_registers_name_nothing(self, imr: int) -> None:
        made = [logs.boot_event(imr, b"anything") | {"event": "compose-hash"}, *log()]
        assert read(made).boot_value("compose-hash") == COMPOSE
        alone = read([logs.boot_event(imr, b"x") | {"event": "New TLS Certificate"}])
        assert alone.certificate_sha256 is None
        assert alone.boot_value("compose-hash") is None

    def test_without_system_ready_only_what_every_boot_says_counts(self) -> None:
        made = [e for e in log() if e["event"] != "system-ready"]
        assert read(made).boot_value("compose-hash") == COMPOSE
        assert read(made).boot_value("app-id") is not None
        assert read(made).boot_value("os-image-hash") is None

    @pytest.mark.parametrize("name", ["compose-hash", "os-image-hash"])
    @pytest.mark.parametrize("size", [0, 20, 31, 33, 48, 64])
    def test_hashes_have_32_bytes(self, name: str, size: int) -> None:
        refused(json.dumps([logs.runtime_event(name, bytes(size))]), "no SHA-256 value")

    @pytest.mark.parametrize("name", ["compose-hash", "system-ready", "New TLS Certificate"])
    def test_no_name_that_counts_hides_behind_a_colon(self, name: str) -> None:
        # ("compose-hash:12", "34") has the digest of ("compose-hash", "12:34").
        payload = b":" * 32
        digest = logs.runtime_event(name, payload)["digest"]
        relabelled = event(event=f"{name}:", event_payload=payload[1:].hex(), digest=digest)
        refused(json.dumps([relabelled]), "colon")
        relabelled["event"] = f"{name}::"
        relabelled["event_payload"] = payload[2:].hex()
        refused(json.dumps([relabelled]), "colon")

    def test_an_applications_own_colons_are_its_own(self) -> None:
        assert read([logs.runtime_event("app:started", b"")]).events[0].name == "app:started"


@pytest.mark.parametrize(
    ("payload", "digest"),
    [
        (b"ab" * 32, b"\xab" * 32),
        (b"AB" * 32, b"\xab" * 32),
        (b"ab" * 31, None),
        (b"ab" * 33, None),
        (b"zz" * 32, None),
        (b"\xff" * 64, None),
        (b"", None),
    ],
)
def test_an_announced_certificate(payload: bytes, digest: bytes | None) -> None:
    read_log = read([logs.runtime_event("New TLS Certificate", payload)])
    assert read_log.certificate_sha256 == digest


class TestAgainstTheQuote:
    @pytest.mark.parametrize("register", range(4))
    def test_each_register_is_compared(self, register: int) -> None:
        world = World()
        world.quote = world.mint()
        extra = (
            logs.runtime_event("extra", b"") if register == 3 else logs.boot_event(register, b"x")
        )
        assert world.log is not None
        world.log = [*world.log, extra]
        result = world.appraise()
        assert failures(result) == ["event-log"]
        assert f"RTMR{register}" in (result.claim(ClaimName.EVENT_LOG).reason or "")
        assert "appId" not in result.measurements

    def test_an_empty_log_is_no_log_of_this_td(self) -> None:
        assert failures(World(told="[]").appraise()) == ["event-log"]

    @pytest.mark.parametrize("told", ["[", "{}", '["x"]', "\ud800"])
    def test_a_log_that_is_there_must_be_sound_though_not_needed(self, told: str) -> None:
        result = World(told=told).appraise()
        assert failures(result) == ["event-log"]
        assert not result.affirmed

    def test_it_agrees_with_the_signed_mr_config_id(self) -> None:
        for signed, affirmed in ((COMPOSE, True), (COMPOSE[::-1], False)):
            world = World()
            world.report.mr_config_id = (b"\x01" + signed).ljust(48, b"\0")
            result = world.appraise()
            assert result.affirmed == affirmed
            assert failures(result) == ([] if affirmed else ["event-log"])
            assert result.measurements["composeHash"] == signed.hex()

    @pytest.mark.parametrize("last", [b"\x01", b"\0"])
    def test_padding_does_not_excuse_a_disagreement(self, last: bytes) -> None:
        world = World()
        world.report.mr_config_id = (b"\x01" + COMPOSE[::-1]).ljust(47, b"\0") + last
        assert failures(world.appraise()) == ["event-log"]

    @pytest.mark.parametrize("first", [b"\x00", b"\x02", b"\xff"])
    def test_an_mr_config_id_of_another_kind_says_nothing(self, first: bytes) -> None:
        world = World()
        world.report.mr_config_id = (first + COMPOSE[::-1]).ljust(48, b"\0")
        assert world.appraise().affirmed
