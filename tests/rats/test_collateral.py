"""Step 4 (threats 58, 68, 69): who signed the collateral, when it holds, and no way back."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ratls_ls.rats import collateral as collaterals
from ratls_ls.rats.binding import Binding, OfflineBinding
from ratls_ls.rats.certificates import common_name, leads_to, read_chain
from ratls_ls.rats.collateral import Collateral
from ratls_ls.rats.errors import CollateralError
from ratls_ls.rats.result import ClaimName, rfc3339
from ratls_ls.simulator.pki import dcap_pki
from ratls_ls.simulator.quote import raw_signature

from .world import (
    DAY,
    LIVE,
    NOW,
    World,
    collateral,
    failures,
    not_reached,
    pck_leaf,
    pki,
    resigned,
)


def test_the_json_form_round_trips() -> None:
    given = collateral()
    assert collaterals.from_json(collaterals.to_json(given)) == given


PARTS = list(json.loads(collaterals.to_json(collateral())))


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("value", [None, 1, [], {}, True, ...])
def test_each_part_is_text(name: str, value: object) -> None:
    document = json.loads(collaterals.to_json(collateral()))
    if value is ...:
        del document[name]
    else:
        document[name] = value
    with pytest.raises(CollateralError, match=name):
        collaterals.from_json(json.dumps(document))


@pytest.mark.parametrize("name", [name for name in PARTS if "crl" in name or "signature" in name])
@pytest.mark.parametrize("value", ["0", "zz", "0x00", " 00"])
def test_bytes_are_plain_hex(name: str, value: str) -> None:
    if name == "pck_crl_issuer_chain":
        return
    document = json.loads(collaterals.to_json(collateral())) | {name: value}
    with pytest.raises(CollateralError, match="hex"):
        collaterals.from_json(json.dumps(document))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "1", '{"a":1,"a":1}', "[" * 10**5])
def test_it_is_one_object(text: str) -> None:
    with pytest.raises(CollateralError, match="collateral"):
        collaterals.from_json(text)


def dates(**changes: Any) -> Collateral:
    """Collateral whose TCB info and QE identity have these keys."""
    given = collateral()
    return resigned(
        given,
        tcb_info=json.loads(given.tcb_info) | changes,
        qe_identity=json.loads(given.qe_identity) | changes,
    )


def without_next_update(crl: bytes) -> bytes:
    """The same list (DER) but for its optional nextUpdate; no longer signed."""
    assert (crl[0], crl[1], crl[4], crl[5]) == (0x30, 0x82, 0x30, 0x82)
    at = crl.index(b"\x17\x0d", crl.index(b"\x17\x0d") + 15)
    made = bytearray(crl[:at] + crl[at + 15 :])
    for size in (2, 6):
        made[size : size + 2] = (int.from_bytes(crl[size : size + 2], "big") - 15).to_bytes(
            2, "big"
        )
    return bytes(made)


def edited(part: str, **changes: Any) -> Collateral:
    """Collateral whose `part` has these keys, and is signed so; ... takes one away."""
    given = collateral()
    document = json.loads(getattr(given, part)) | changes
    return resigned(given, **{part: {k: v for k, v in document.items() if v is not ...}})


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("tcb_info", {"version": 2}),
        ("tcb_info", {"version": 4}),
        ("tcb_info", {"version": "3"}),
        ("tcb_info", {"version": ...}),
        ("tcb_info", {"tcbType": 1}),
        ("tcb_info", {"tcbType": ...}),
        ("qe_identity", {"version": 1}),
        ("qe_identity", {"version": 3}),
    ],
)
def test_another_form_is_not_understood(part: str, changes: dict[str, Any]) -> None:
    result = World(collateral=edited(part, **changes)).appraise()
    assert failures(result) == ["collateral"]
    assert "another form" in (result.claim(ClaimName.COLLATERAL).reason or "")


@pytest.mark.parametrize("told", ["0001", "0100", "00", "0x0000", "", None, 0, ...])
def test_tcb_info_is_for_the_platforms_pce(told: object) -> None:
    assert failures(World(collateral=edited("tcb_info", pceId="0000")).appraise()) == []
    result = World(collateral=edited("tcb_info", pceId=told)).appraise()
    assert failures(result) == ["collateral"]


@pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
@pytest.mark.parametrize("key", ["issueDate", "nextUpdate"])
def test_a_date_that_the_library_alone_cannot_read(part: str, key: str) -> None:
    moment = "2026-W01-1" if key == "issueDate" else "9998-12-31"
    result = World(collateral=edited(part, **{key: moment})).appraise()
    assert failures(result) == ["collateral"]
    assert "malformed" in (result.claim(ClaimName.COLLATERAL).reason or "")


def test_the_revocation_list_is_of_the_platforms_authority() -> None:
    given = collateral()
    result = World(collateral=replace(given, pck_crl=given.root_ca_crl)).appraise()
    assert failures(result) == ["collateral"]
    assert "not of the authority" in (result.claim(ClaimName.COLLATERAL).reason or "")


def test_a_revocation_list_of_a_part_only() -> None:
    """Of CA certificates, here: it says nothing of the platform's."""
    scope = x509.IssuingDistributionPoint(None, None, False, True, None, False, False)
    crl = pki().crl(pki().platform_ca, NOW, scope=scope)
    result = World(collateral=replace(collateral(), pck_crl=crl)).appraise()
    assert failures(result) == ["collateral"]
    assert "malformed" in (result.claim(ClaimName.COLLATERAL).reason or "")


class TestWindow:
    def test_the_part_that_ends_first_ends_it(self) -> None:
        assert collaterals.expires_at(collateral(valid_days=3)) == NOW + 2 * DAY
        assert collaterals.expires_at(collateral(valid_days=300)) == NOW + 29 * DAY  # the CRLs

    @pytest.mark.parametrize(
        ("now", "in_date"),
        [(NOW - DAY - 1, False), (NOW - DAY, True), (NOW + 2 * DAY - 1, True), (NOW + 2 * DAY, 0)],
        ids=["before", "first second", "last second", "after"],
    )
    def test_it_counts_inside_only(self, now: int, in_date: bool) -> None:
        result = World(collateral=collateral(valid_days=3), now=now).appraise()
        assert failures(result) == ([] if in_date else ["collateral"])
        if not in_date:
            claim = result.claim(ClaimName.COLLATERAL)
            assert "clock" in (claim.reason or "")
            assert ("future" in (claim.reason or "")) == (now < NOW)
            assert "quote-signature" in not_reached(result)
        assert result.collateral_expires_at == NOW + 2 * DAY

    @pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
    @pytest.mark.parametrize(
        ("key", "days"), [("nextUpdate", -1), ("issueDate", 1)], ids=["expired", "future"]
    )
    def test_each_document_counts(self, part: str, key: str, days: int) -> None:
        moment = datetime.fromtimestamp(NOW + days * DAY, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        given = collateral()
        document = json.loads(getattr(given, part)) | {key: moment}
        made = resigned(given, **{part: document})
        assert failures(World(collateral=made).appraise()) == ["collateral"]

    @pytest.mark.parametrize("name", ["root_ca_crl", "pck_crl"])
    @pytest.mark.parametrize("days", [-40, 40])
    def test_each_revocation_list_counts(self, name: str, days: int) -> None:
        issuer = pki().root if name == "root_ca_crl" else pki().platform_ca
        made = replace(collateral(), **{name: pki().crl(issuer, NOW + days * DAY)})
        assert failures(World(collateral=made).appraise()) == ["collateral"]

    @pytest.mark.parametrize("key", ["issueDate", "nextUpdate"])
    @pytest.mark.parametrize("value", [None, 1, "", "soon", "2026-13-01T00:00:00Z", [], True])
    def test_dates_are_dates(self, key: str, value: object) -> None:
        result = World(collateral=dates(**{key: value})).appraise()
        assert failures(result) == ["collateral"]
        assert key in (result.claim(ClaimName.COLLATERAL).reason or "")
        assert result.collateral_expires_at is None

    def test_a_time_without_a_zone_is_utc(self) -> None:
        assert collaterals.unix_seconds("1970-01-02T00:00:00") == DAY
        assert collaterals.unix_seconds("1970-01-02T00:00:00Z") == DAY
        assert collaterals.unix_seconds("1970-01-02T02:00:00+02:00") == DAY

    def test_the_zone_of_this_machine_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "Pacific/Kiritimati")
        time.tzset()
        try:
            assert collaterals.unix_seconds("1970-01-02T00:00:00") == DAY
        finally:
            monkeypatch.undo()
            time.tzset()

    @pytest.mark.parametrize("name", ["root_ca_crl", "pck_crl"])
    def test_a_revocation_list_without_an_end(self, name: str) -> None:
        issuer = pki().root if name == "root_ca_crl" else pki().platform_ca
        # Long enough for DER to write its sizes in two bytes.
        endless = without_next_update(pki().crl(issuer, NOW, revoked=tuple(range(1, 40))))
        assert x509.load_der_x509_crl(endless).next_update_utc is None
        result = World(collateral=replace(collateral(), **{name: endless})).appraise()
        assert failures(result) == ["collateral"]
        assert "next update" in (result.claim(ClaimName.COLLATERAL).reason or "")

    def test_the_part_that_decides_is_named(self) -> None:
        late = World(collateral=collateral(valid_days=3), now=NOW + 5 * DAY).appraise()
        claim = late.claim(ClaimName.COLLATERAL)
        assert (claim.reason or "").startswith("the TCB info expired")
        assert (claim.expected, claim.actual) == (
            f"a time before {rfc3339(NOW + 2 * DAY)}",
            rfc3339(NOW + 5 * DAY),
        )
        early = World(now=NOW - 5 * DAY).appraise().claim(ClaimName.COLLATERAL)
        assert (early.reason or "").startswith("the TCB info is from the future")
        assert (early.expected, early.actual) == (
            f"a time from {rfc3339(NOW - DAY)}",
            rfc3339(NOW - 5 * DAY),
        )

    @pytest.mark.parametrize(
        ("binding", "advice"), [(LIVE, "machine's clock"), (OfflineBinding(), "--at")]
    )
    def test_who_gave_the_time_is_told_to_look_at_it(self, binding: Binding, advice: str) -> None:
        for now in (NOW - 100 * DAY, NOW + 100 * DAY):
            claim = World(binding=binding, now=now).appraise().claim(ClaimName.COLLATERAL)
            assert advice in (claim.reason or "")


class TestSigner:
    @pytest.mark.parametrize("who", ["pck", "platform_ca", "root"])
    def test_only_the_tcb_signer_signs(self, who: str) -> None:
        made = resigned(collateral(), signer=getattr(pki(), who))
        result = World(collateral=made).appraise()
        assert failures(result) == ["collateral"]
        claim = result.claim(ClaimName.COLLATERAL)
        assert claim.expected == "Intel SGX TCB Signing"
        assert claim.actual == common_name(getattr(pki(), who).certificate)
        assert "quote-signature" in not_reached(result)
        assert "tcb-status" in not_reached(result)

    @pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
    def test_either_document(self, part: str) -> None:
        given, pck = collateral(), pki().pck
        text = getattr(given, part)
        made = replace(
            given,
            **{
                f"{part}_issuer_chain": pck.chain.decode(),
                f"{part}_signature": raw_signature(pck.key, text.encode()),
            },
        )
        assert failures(World(collateral=made).appraise()) == ["collateral"]

    def test_a_leaf_under_another_pem_label_does_not_hide(self) -> None:
        """dcap_qvl takes any PEM block for a certificate, so the first one would be the signer."""
        made = pki()
        chain = (
            made.pck.pem.decode().replace("CERTIFICATE", "X509 CRL")
            + made.tcb_signer.pem.decode()
            + made.pck.chain.decode().removeprefix(made.pck.pem.decode())
        )
        hidden = replace(
            resigned(collateral(), signer=made.pck),
            tcb_info_issuer_chain=chain,
            qe_identity_issuer_chain=chain,
        )
        result = World(collateral=hidden).appraise()
        assert failures(result) == ["collateral"]

    def test_a_name_given_twice_is_no_name(self) -> None:
        def named(*names: str) -> x509.Certificate:
            key = ec.generate_private_key(ec.SECP256R1())
            attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names]
            subject = x509.Name(attributes)
            now = datetime.now(UTC)
            return (
                x509.CertificateBuilder()
                .subject_name(subject)
                .issuer_name(subject)
                .public_key(key.public_key())
                .serial_number(1)
                .not_valid_before(now)
                .not_valid_after(now + timedelta(days=1))
                .sign(key, hashes.SHA256())
            )

        assert common_name(named("Intel SGX TCB Signing")) == "Intel SGX TCB Signing"
        twice = named("Intel SGX TCB Signing", "other")
        assert common_name(twice) == ""
        assert common_name(named()) == ""
        pem = twice.public_bytes(Encoding.PEM).decode()
        nameless = replace(collateral(), tcb_info_issuer_chain=pem)
        assert collaterals.wrong_signer(nameless) == "(no name)"


class TestEvaluationNumber:
    @pytest.mark.parametrize(("minimum", "affirmed"), [(0, 1), (19, 1), (20, 1), (21, 0)])
    def test_it_never_goes_back(self, minimum: int, affirmed: bool) -> None:
        result = World(minimum_tcb_evaluation=minimum).appraise()
        assert result.affirmed == bool(affirmed)
        if not affirmed:
            assert failures(result) == ["collateral"]
            claim = result.claim(ClaimName.COLLATERAL)
            assert "roll-back" in (claim.reason or "")
            assert (claim.expected, claim.actual) == ("tcbEvaluationDataNumber at least 21", "20")
            # The old assessment says nothing of the platform; the quote is no less genuine.
            assert not_reached(result) == ["tcb-status"]
            assert result.tcb_status is None
            assert result.measurements

    def test_zero_is_one(self) -> None:
        given = dates(tcbEvaluationDataNumber=0)
        result = World(collateral=given).appraise()
        assert result.affirmed
        assert result.tcb_evaluation_data_number == 0

    @pytest.mark.parametrize("part", ["tcb_info", "qe_identity"])
    def test_the_lower_of_the_two_counts(self, part: str) -> None:
        given = collateral()
        document = json.loads(getattr(given, part)) | {"tcbEvaluationDataNumber": 18}
        world = World(collateral=resigned(given, **{part: document}))
        result = world.appraise()
        assert result.affirmed
        assert result.tcb_evaluation_data_number == 18
        world.minimum_tcb_evaluation = 19
        assert failures(world.appraise()) == ["collateral"]

    @pytest.mark.parametrize("number", [None, "20", True, 20.0, [], {}])
    def test_it_is_a_whole_number(self, number: object) -> None:
        result = World(collateral=dates(tcbEvaluationDataNumber=number)).appraise()
        assert failures(result) == ["collateral"]


GARBAGE: list[Callable[[Collateral], Collateral]] = [
    *(
        (lambda given, name=name, value=value: replace(given, **{name: value}))
        for name in ("tcb_info", "qe_identity")
        for value in ("", "{", "[]", "null", "{}", '{"a":1,"a":1}', "\ud800", "NaN")
    ),
    *(
        (lambda given, name=name, value=value: replace(given, **{name: value}))
        for name in (
            "tcb_info_issuer_chain",
            "qe_identity_issuer_chain",
            "pck_crl_issuer_chain",
        )
        for value in (
            "",
            "x",
            "é",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
    ),
    *(
        (lambda given, name=name, value=value: replace(given, **{name: value}))
        for name in ("root_ca_crl", "pck_crl")
        for value in (b"", b"\x30", b"-----BEGIN X509 CRL-----")
    ),
]


@pytest.mark.parametrize("change", GARBAGE)
def test_garbage_fails_the_claim_and_raises_nothing(
    change: Callable[[Collateral], Collateral],
) -> None:
    result = World(collateral=change(collateral())).appraise()
    assert failures(result) == ["collateral"]
    assert "quote-signature" in not_reached(result)
    assert "pccs_url" in (result.claim(ClaimName.COLLATERAL).reason or "")


def as_pem(der: bytes) -> bytes:
    body = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n"


class TestCertificates:
    def test_a_chain_holds_certificates_only(self) -> None:
        pem = pki().pck.chain
        assert len(read_chain(pem)) == 3
        with pytest.raises(ValueError, match="something else"):
            read_chain(pem + pem.replace(b"CERTIFICATE", b"X509 CRL"))
        with pytest.raises(ValueError, match="PEM"):
            read_chain(b"")

    def test_a_certificate_of_an_unknown_version(self) -> None:
        der = pki().pck.der
        version = b"\xa0\x03\x02\x01"
        at = der.index(version) + len(version)
        other = der[:at] + b"\x07" + der[at + 1 :]
        pem = as_pem(other)
        with pytest.raises(ValueError, match="version"):
            read_chain(pem)
        made = replace(collateral(), tcb_info_issuer_chain=pem.decode())
        assert failures(World(collateral=made).appraise()) == ["collateral"]

    def test_a_name_or_date_that_only_shows_to_be_none_when_read(self) -> None:
        der = pki().tcb_signer.der
        oid = bytes.fromhex("0603550403")  # common name, twice: the issuer's and the subject's
        subject = der.rindex(oid) + len(oid)
        dates = der.index(b"\x17\x0d") + 2
        for at, byte in ((subject, 0x30), (subject, 0x03), (dates, 0xFF)):
            pem = as_pem(der[:at] + bytes([byte]) + der[at + 1 :])
            chain = pem.decode() + pki().root.pem.decode()
            made = replace(collateral(), tcb_info_issuer_chain=chain)
            assert failures(World(collateral=made).appraise()) == ["collateral"]

    def test_a_revocation_list_of_an_unknown_version(self) -> None:
        der = collateral().pck_crl
        at = der.index(b"\x02\x01\x01") + 2
        made = replace(collateral(), pck_crl=der[:at] + b"\x07" + der[at + 1 :])
        assert failures(World(collateral=made).appraise()) == ["collateral"]

    def test_an_issuer_with_a_key_that_signs_nothing(self) -> None:
        leaf = pck_leaf().certificate
        key = x25519.X25519PrivateKey.generate()
        issuer = (
            x509.CertificateBuilder()
            .subject_name(leaf.issuer)
            .issuer_name(leaf.issuer)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(leaf.not_valid_before_utc)
            .not_valid_after(leaf.not_valid_after_utc)
            .sign(pki().root.key, hashes.SHA256())
        )
        assert not leads_to([leaf], issuer)

    def test_a_signature_of_an_unknown_kind(self) -> None:
        der = pki().pck.der
        oid = bytes.fromhex("06082a8648ce3d040302")
        assert der.count(oid) == 2
        odd = x509.load_der_x509_certificate(der.replace(oid, oid[:-1] + b"\x7f"))
        assert not leads_to([odd], pki().platform_ca.certificate)

    def test_a_chain_leads_to_its_root_only(self) -> None:
        chain = read_chain(pki().pck.chain)
        other = dcap_pki("Another Root CA")
        assert leads_to(chain, pki().root.certificate)
        assert leads_to(chain[:2], pki().root.certificate)
        assert not leads_to(chain, other.root.certificate)
        assert not leads_to(chain[:1], pki().root.certificate)
        # A root of the same name with another key.
        forged = dcap_pki.__wrapped__()
        assert forged.root.certificate.subject == pki().root.certificate.subject
        assert not leads_to(chain, forged.root.certificate)
