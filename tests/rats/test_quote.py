"""Steps 2 and 3 (threats C): the frame of a quote, its signatures, and under which root."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import dcap_qvl
import pytest

from ratls_ls.rats.collateral import to_json
from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.evidence import MAX_QUOTE_BYTES, Evidence
from ratls_ls.rats.quote import CollateralKey, TrustAnchor, collateral_key, verify
from ratls_ls.rats.quote_format import check_format
from ratls_ls.rats.refusal import FOREIGN_ROOT, Refusal
from ratls_ls.rats.result import ClaimName, ClaimVerdict
from ratls_ls.simulator.pki import FMSPC, dcap_pki
from ratls_ls.simulator.quote import SEPT_VE_DISABLE, Body, TdReport, mint

from .world import (
    DAY,
    INTEL_ROOT,
    NOW,
    V1_REPORT_DATA,
    World,
    allowing,
    anchor,
    collateral,
    failures,
    not_reached,
    pck_leaf,
    pki,
    resigned,
)

# Offsets in a quote v4: Intel, "TDX DCAP Quoting Library API", A.3.
SIGNATURE_SIZE = 48 + 584
SIGNATURE = SIGNATURE_SIZE + 4
OUTER_TYPE = SIGNATURE + 128
QE_REPORT = OUTER_TYPE + 6
AUTH_SIZE = QE_REPORT + 384 + 64
INNER_TYPE = AUTH_SIZE + 2 + 32
BODIES = [(4, Body.TD10), (5, Body.TD10), (5, Body.TD15), (5, Body.TD15_EX)]


def patched(at: int, data: bytes) -> Callable[[bytes], bytes]:
    return lambda quote: quote[:at] + data + quote[at + len(data) :]


def grown(by: int, at: int, *sizes: tuple[int, str]) -> Callable[[bytes], bytes]:
    """`by` more bytes at `at`, and the sizes that count them corrected."""

    def change(quote: bytes) -> bytes:
        made = bytearray(quote)
        for where, form in sizes:
            (size,) = struct.unpack_from(form, made, where)
            struct.pack_into(form, made, where, size + by)
        return bytes(made[:at]) + bytes(by) + bytes(made[at:])

    return change


OUTER_SIZE, INNER_SIZE = (OUTER_TYPE + 2, "<I"), (INNER_TYPE + 2, "<I")
ALL_SIZES = ((SIGNATURE_SIZE, "<I"), OUTER_SIZE)
FRAMES: list[Any] = [
    pytest.param(lambda quote: b"", "cut short", id="empty"),
    pytest.param(lambda quote: quote[:47], "cut short", id="half a header"),
    pytest.param(lambda quote: quote[:600], "cut short", id="half a body"),
    pytest.param(lambda quote: quote[:SIGNATURE], "cut short", id="no signature"),
    pytest.param(lambda quote: quote[:-1], "cut short", id="last byte missing"),
    pytest.param(lambda quote: quote + b"\0", "longer", id="one byte behind"),
    pytest.param(lambda quote: quote + bytes(4096), "longer", id="a page behind"),
    pytest.param(lambda quote: quote + bytes(MAX_QUOTE_BYTES), "too large", id="64 KiB behind"),
    pytest.param(
        grown(1, OUTER_TYPE, (SIGNATURE_SIZE, "<I")), "certification|cut", id="byte after key"
    ),
    pytest.param(
        lambda quote: grown(1, len(quote), (SIGNATURE_SIZE, "<I"))(quote),
        "longer",
        id="byte behind the outer certification data",
    ),
    pytest.param(
        lambda quote: grown(1, len(quote), *ALL_SIZES)(quote),
        "longer",
        id="byte behind the chain",
    ),
    pytest.param(patched(SIGNATURE_SIZE, b"\xff" * 4), "cut short", id="huge signature size"),
    pytest.param(patched(OUTER_TYPE + 2, b"\xff" * 4), "cut short", id="huge outer size"),
    pytest.param(patched(AUTH_SIZE, b"\xff\xff"), "cut short", id="huge auth size"),
    pytest.param(patched(INNER_TYPE + 2, b"\xff" * 4), "cut short", id="huge chain size"),
    pytest.param(patched(INNER_TYPE + 2, bytes(4)), "longer", id="no chain"),
    *(
        pytest.param(patched(0, struct.pack("<H", version)), "version", id=f"version {version}")
        for version in (0, 1, 2, 6, 0x0404)
    ),
    pytest.param(patched(0, b"\x03\x00"), "unknown quote version", id="version 3"),
    pytest.param(patched(2, b"\x03\x00"), "attestation key", id="P-384 attestation key"),
    pytest.param(patched(4, bytes(4)), "SGX", id="SGX"),
    pytest.param(patched(4, b"\x82\0\0\0"), "no TDX quote", id="TEE 0x82"),
    pytest.param(patched(4, b"\x81\0\0\x01"), "no TDX quote", id="TEE with high bits"),
    *(
        pytest.param(patched(OUTER_TYPE, struct.pack("<H", t)), "certification", id=f"outer {t}")
        for t in (0, 1, 5, 7, 0x0106)
    ),
    *(
        pytest.param(patched(INNER_TYPE, struct.pack("<H", t)), "certification", id=f"inner {t}")
        for t in (1, 2, 3, 4, 6, 7)
    ),
    pytest.param(
        lambda quote: quote.replace(b"-----BEGIN CERTIFICATE", b"-----BEGIN CERTIFICAT_"),
        "chain",
        id="other PEM label",
    ),
    pytest.param(
        lambda quote: quote.replace(b"-----BEGIN", b"-----begin"), "chain", id="no PEM at all"
    ),
]


@pytest.mark.parametrize(("change", "word"), FRAMES)
def test_the_frame_of_a_quote(change: Callable[[bytes], bytes], word: str) -> None:
    world = World()
    world.quote = change(world.mint())
    result = world.appraise()
    assert failures(result) == ["quote-format"]
    assert not_reached(result) == [
        name.value for name in ClaimName if name not in (ClaimName.TLS, ClaimName.QUOTE_FORMAT)
    ]
    assert result.measurements == {}
    with pytest.raises(EvidenceError, match=word) as caught:
        collateral_key(world.quote)
    assert caught.value.claim is ClaimName.QUOTE_FORMAT


def test_an_sgx_quote_is_said_to_be_one() -> None:
    header = struct.pack("<HHIHH", 3, 2, 0, 0, 0).ljust(48, b"\0")
    with pytest.raises(EvidenceError, match="SGX"):
        check_format(header + bytes(384 + 4))


def test_a_quote_of_zeros_is_none() -> None:
    with pytest.raises(EvidenceError, match="unknown quote version"):
        check_format(bytes(700))


def test_64_kib_are_not_too_large() -> None:
    assert MAX_QUOTE_BYTES == 65536
    with pytest.raises(EvidenceError, match="unknown quote version"):
        check_format(bytes(MAX_QUOTE_BYTES))
    with pytest.raises(EvidenceError, match="too large") as caught:
        check_format(bytes(MAX_QUOTE_BYTES + 1))
    assert caught.value.actual == "65537 bytes"


@pytest.mark.parametrize(
    ("kind", "size"), [(1, 384), (2, 648), (3, 584), (3, 649), (4, 648), (5, 584), (0, 0)]
)
def test_unknown_bodies(kind: int, size: int) -> None:
    quote = bytearray(World(version=5, body=Body.TD15).mint())
    struct.pack_into("<HI", quote, 48, kind, size)
    with pytest.raises(EvidenceError, match="unknown quote body"):
        check_format(bytes(quote))


@pytest.mark.parametrize(("version", "body"), BODIES)
def test_the_collateral_key(version: int, body: Body) -> None:
    quote = World(version=version, body=body).mint()
    assert collateral_key(quote) == CollateralKey(FMSPC, "platform")


def test_a_chain_may_end_with_a_nul() -> None:
    # Intel's quoting library ends it with one, as real quotes show.
    made = pki()
    padded = replace(made, pck=replace(made.pck, chain=made.pck.chain + b"\0"))
    world = World()
    world.report.rtmrs = [bytes(48)] * 4
    world.log = None
    world.quote = mint(world.report, padded)
    assert world.appraise().affirmed


def test_a_certificate_without_a_platform_certifies_none() -> None:
    assert failures(World(pck=pki().tcb_signer).appraise()) == ["quote-format"]


def test_only_a_pck_certificate_certifies_a_platform() -> None:
    assert World(pck=pck_leaf()).appraise().affirmed
    for name in ("Intel SGX TCB Signing", "Intel SGX PCK Certificate ", "\x1b[31m", ""):
        result = World(pck=pck_leaf(name or " ")).appraise()
        assert failures(result) == ["quote-format"]
        claim = result.claim(ClaimName.QUOTE_FORMAT)
        assert claim.expected == "Intel SGX PCK Certificate"
        assert "\x1b" not in (claim.actual or "")


@pytest.mark.parametrize(
    ("fmspc", "ca"),
    [
        ("../../etc", "platform"),
        ("00906ed50000", "platform"),
        ("00906ED5000", "platform"),
        ("00906ED5000000", "platform"),
        ("00906ED50000\n", "platform"),
        ("", "platform"),
        ("00906ED50000", "root"),
        ("00906ED50000", "platform&x=1"),
        ("00906ED50000", ""),
    ],
)
def test_what_names_the_collateral_is_taken_in_its_exact_form_only(
    fmspc: str, ca: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote = World().mint()
    parsed = SimpleNamespace(
        fmspc=lambda: fmspc,
        ca=lambda: ca,
        cert_chain_pem_bytes=dcap_qvl.parse_quote(quote).cert_chain_pem_bytes,
    )
    monkeypatch.setattr(dcap_qvl, "parse_quote", lambda _: parsed)
    with pytest.raises(EvidenceError, match="names no platform"):
        collateral_key(quote)


@pytest.mark.parametrize("flag", range(3))
def test_platform_flags_are_shown_only_where_they_are_set(flag: int) -> None:
    on, off = (bytes([1, 7, 1 + flag, 1, 1, value]) for value in (0xFF, 0))
    world = World(pck=pck_leaf(edit=lambda der: der.replace(on, off)))
    result = world.appraise()
    assert result.affirmed
    words = ["dynamic platform", "cached keys", "smt enabled"]
    del words[flag]
    actual = result.claim(ClaimName.TCB_STATUS).actual or ""
    assert actual.endswith(f"({', '.join(words)})")


def test_a_platform_without_flags_shows_none() -> None:
    def off(der: bytes) -> bytes:
        for flag in (1, 2, 3):
            der = der.replace(bytes([1, 7, flag, 1, 1, 0xFF]), bytes([1, 7, flag, 1, 1, 0]))
        return der

    actual = World(pck=pck_leaf(edit=off)).appraise().claim(ClaimName.TCB_STATUS).actual
    assert actual == "UpToDate"


class TestAgainstTheLibrary:
    """Answers that dcap_qvl does not give today."""

    @pytest.mark.parametrize(
        "claims",
        [
            "[]",
            "{}",
            "null",
            "{",
            '{"tee_type": 129}',
            '{"tee_type": 129, "report": {}}',
            '{"tee_type": 129, "report": []}',
            '{"tee_type": 129, "report": {"TD10": []}}',
            '{"tee_type": 129, "report": {"TD10": {"mr_td": "00"}}}',
            '{"tee_type": 129, "report": {"TD10": {"report_data": null}}}',
        ],
    )
    def test_claims_of_another_shape(self, claims: str, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World()
        world.quote = world.mint()
        monkeypatch.setattr(dcap_qvl, "QuoteVerifier", lambda _: _Verifier(claims))
        result = world.appraise()
        assert failures(result) == ["quote-signature"]
        assert "unknown shape" in (result.claim(ClaimName.QUOTE_SIGNATURE).reason or "")

    @pytest.mark.parametrize(
        "edit",
        [
            lambda claims: claims | {"tee_type": 0},
            lambda claims: claims | {"tcb": None},
            lambda claims: claims | {"platform": {}},
            lambda claims: claims | {"qe": {"tcb_level": {"tcbDate": 1, "tcbStatus": "UpToDate"}}},
            lambda claims: _body(claims, mr_td="00" * 47),
            lambda claims: _body(claims, rt_mr3="00" * 49),
            lambda claims: _body(claims, report_data="00" * 63),
            lambda claims: _body(claims, td_attributes=""),
            lambda claims: _body(claims, mr_seam=None),
        ],
    )
    def test_claims_with_another_content(
        self, edit: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = World()
        world.quote = world.mint()
        parts = dcap_qvl.QuoteCollateralV3.from_json(to_json(collateral()))
        policy = dcap_qvl.QuotePolicy.claims_only(NOW)
        verifier = dcap_qvl.QuoteVerifier(pki().root.der)
        claims = verifier.verify_with_policy(world.quote, parts, NOW, policy)
        text = json.dumps(edit(json.loads(claims.to_json())))
        monkeypatch.setattr(dcap_qvl, "QuoteVerifier", lambda _: _Verifier(text))
        assert failures(world.appraise()) == ["quote-signature"]

    def test_intels_root_is_asked_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[bytes] = []
        monkeypatch.setattr(dcap_qvl, "QuoteVerifier", lambda der: _Verifier("", asked, der))
        World(anchors=(anchor(), INTEL_ROOT), quote=World().mint()).appraise()
        assert asked[0] == INTEL_ROOT.der

    def test_a_refused_enclave_is_no_td(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any) -> None:
            raise ValueError("Verification failed: Debug mode is enabled")

        quote = World().mint()
        enclave = SimpleNamespace(is_tdx=lambda: False, cert_chain_pem_bytes=lambda: b"")
        monkeypatch.setattr(dcap_qvl, "verify_with_root_ca", refuse)
        monkeypatch.setattr(dcap_qvl, "QuoteVerifier", lambda _: _Verifier(""))
        monkeypatch.setattr(dcap_qvl, "parse_quote", lambda _: enclave)
        found = verify(quote, collateral(), NOW, (anchor(),))
        assert isinstance(found, Refusal)

    def test_a_chain_that_cannot_be_read_leads_nowhere(self) -> None:
        quote = World().mint().replace(b"-----BEGIN", b"-----begin")
        assert verify(quote, collateral(), NOW, (INTEL_ROOT,)) is FOREIGN_ROOT

    def test_a_quote_without_a_chain(self) -> None:
        quote = patched(INNER_TYPE, b"\x02\x00")(World().mint())
        assert isinstance(verify(quote, collateral(), NOW, (anchor(),)), Refusal)

    def test_an_unknown_cause_is_shown_short_and_plain(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any) -> None:
            raise ValueError("Verification failed: \x1b[31m" + "x" * 500)

        world = World(quote=World().mint())
        monkeypatch.setattr(dcap_qvl, "QuoteVerifier", lambda _: _Verifier(""))
        monkeypatch.setattr(dcap_qvl, "verify_with_root_ca", refuse)
        reason = world.appraise().claim(ClaimName.QUOTE_SIGNATURE).reason or ""
        assert reason == "the quote does not verify: \\x1b[31m" + "x" * 52


class _Verifier:
    def __init__(self, claims: str, asked: list[bytes] | None = None, der: bytes = b"") -> None:
        self._claims = claims
        if asked is not None:
            asked.append(der)

    def verify_with_policy(self, *_: Any) -> Any:
        return SimpleNamespace(to_json=lambda: self._claims)


def _body(claims: Any, **changes: Any) -> Any:
    claims["report"]["TD10"] |= changes
    return claims


@pytest.mark.parametrize(("version", "body"), BODIES)
def test_every_signed_byte_is_signed(version: int, body: Body) -> None:
    """One flipped bit in each field of header, body, keys, QE report or signatures."""
    world = World(version=version, body=body)
    good = world.mint()
    frame = 0 if version == 4 else 6
    end = good.index(b"-----BEGIN") - 6
    for at in range(8, end, 13):
        quote = bytearray(good)
        quote[at] ^= 1
        world.quote = bytes(quote)
        result = world.appraise()
        assert not result.affirmed, at
        assert failures(result)[0] in ("quote-format", "quote-signature"), at
        assert result.measurements == {}, at
    assert end > 48 + frame + 584


def test_a_quote_under_another_root() -> None:
    other = dcap_pki("Another Root CA")
    world = World()
    world.quote = mint(world.report, other)
    result = world.appraise()
    assert failures(result) == ["quote-signature"]
    assert "DCAP root" in (result.claim(ClaimName.QUOTE_SIGNATURE).reason or "")
    assert not result.simulated


class TestAnchors:
    def test_only_intels_by_default(self) -> None:
        result = World(anchors=(INTEL_ROOT,)).appraise()
        assert failures(result) == ["quote-signature"]
        assert "simulation" in (result.claim(ClaimName.QUOTE_SIGNATURE).reason or "")
        assert not result.simulated

    def test_none_at_all(self) -> None:
        assert failures(World(anchors=()).appraise()) == ["quote-signature"]

    def test_another_root_is_always_simulated(self) -> None:
        claimed = TrustAnchor(pki().root.der, simulated=False)
        result = World(anchors=(claimed,)).appraise()
        assert result.affirmed
        assert result.simulated
        actual = result.claim(ClaimName.QUOTE_SIGNATURE).actual or ""
        assert "simulated" in actual

    def test_order_does_not_matter(self) -> None:
        unrelated = TrustAnchor(dcap_pki("Another Root CA").root.der, simulated=True)
        for anchors in ((anchor(), INTEL_ROOT), (unrelated, anchor()), (anchor(), unrelated)):
            assert World(anchors=anchors).appraise().affirmed

    def test_a_reason_is_that_of_the_root_that_fits(self) -> None:
        unrelated = TrustAnchor(dcap_pki("Another Root CA").root.der, simulated=True)
        world = World(collateral=collateral(platform="Revoked"))
        world.anchors = (INTEL_ROOT, anchor(), unrelated)
        assert failures(world.appraise()) == ["tcb-status"]

    @pytest.mark.parametrize("der", [b"", b"garbage", pki().root.pem], ids=["none", "text", "pem"])
    def test_a_root_that_is_none(self, der: bytes) -> None:
        world = World(anchors=(TrustAnchor(der, simulated=True),))
        assert failures(world.appraise()) == ["quote-signature"]


class TestRefusals:
    """dcap_qvl tells causes as text; each must come out under the right claim."""

    def test_a_revoked_platform_certificate(self) -> None:
        serial = pki().pck.certificate.serial_number
        result = World(collateral=collateral(revoked_serials=(serial,))).appraise()
        assert failures(result) == ["quote-signature"]
        assert "revoked" in (result.claim(ClaimName.QUOTE_SIGNATURE).reason or "")

    @pytest.mark.parametrize("who", ["platform_ca", "tcb_signer", "root"])
    def test_a_revoked_issuer(self, who: str) -> None:
        serial = getattr(pki(), who).certificate.serial_number
        crl = pki().crl(pki().root, NOW, revoked=(serial,))
        result = World(collateral=replace(collateral(), root_ca_crl=crl)).appraise()
        assert failures(result) == ["quote-signature"]
        assert "revoked" in (result.claim(ClaimName.QUOTE_SIGNATURE).reason or "")

    def test_collateral_for_another_platform(self) -> None:
        given = collateral()
        info = json.loads(given.tcb_info) | {"fmspc": "00906ED50000"}
        result = World(collateral=resigned(given, tcb_info=info)).appraise()
        assert failures(result) == ["quote-signature"]
        assert "FMSPC" in (result.claim(ClaimName.QUOTE_SIGNATURE).reason or "")

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"id": "SGX"}, id="for SGX"),
            pytest.param({"version": 2}, id="old version"),
            pytest.param({"tcbLevels": [{"no": "level"}]}, id="malformed"),
        ],
    )
    def test_tcb_info_of_another_kind(self, change: dict[str, Any]) -> None:
        given = collateral()
        info = json.loads(given.tcb_info) | change
        result = World(collateral=resigned(given, tcb_info=info)).appraise()
        assert failures(result) == ["collateral"]
        assert "quote-signature" in not_reached(result)

    @pytest.mark.parametrize(
        ("change", "claim"),
        [
            ({"id": "QE"}, "collateral"),
            ({"version": 1}, "collateral"),
            ({"tcbLevels": []}, "collateral"),
            ({"mrsigner": "00" * 32}, "quote-signature"),
            ({"isvprodid": 1}, "quote-signature"),
            ({"miscselect": "01000000"}, "quote-signature"),
            ({"attributes": "00" * 16}, "quote-signature"),
        ],
    )
    def test_qe_identity_of_another_kind(self, change: dict[str, Any], claim: str) -> None:
        given = collateral()
        identity = json.loads(given.qe_identity) | change
        result = World(collateral=resigned(given, qe_identity=identity)).appraise()
        assert failures(result) == [claim]
        assert result.measurements == {}

    @pytest.mark.parametrize("name", ["tcb_info_signature", "qe_identity_signature"])
    @pytest.mark.parametrize("signature", [b"", bytes(64), bytes(63), b"\xff" * 64])
    def test_collateral_that_intel_did_not_sign(self, name: str, signature: bytes) -> None:
        result = World(collateral=replace(collateral(), **{name: signature})).appraise()
        assert failures(result) == ["collateral"]

    @pytest.mark.parametrize("name", ["tcb_info_issuer_chain", "qe_identity_issuer_chain"])
    def test_a_signer_under_another_root(self, name: str) -> None:
        chain = dcap_pki("Another Root CA").tcb_signer.chain.decode()
        result = World(collateral=replace(collateral(), **{name: chain})).appraise()
        assert failures(result) == ["collateral"]
        assert "root" in (result.claim(ClaimName.COLLATERAL).reason or "")

    @pytest.mark.parametrize("name", ["root_ca_crl", "pck_crl"])
    def test_a_revocation_list_of_another_root(self, name: str) -> None:
        other = dcap_pki("Another Root CA")
        issuer = other.root if name == "root_ca_crl" else other.platform_ca
        result = World(
            collateral=replace(collateral(), **{name: other.crl(issuer, NOW)})
        ).appraise()
        assert failures(result) == ["collateral"]

    def test_module_attributes(self) -> None:
        given = collateral()
        info = json.loads(given.tcb_info)
        for module in (info["tdxModule"], info["tdxModuleIdentities"][0]):
            module["attributes"] = "01" + "00" * 7
        result = World(collateral=resigned(given, tcb_info=info)).appraise()
        assert failures(result) == ["td-attributes"]
        assert "TDX module" in (result.claim(ClaimName.TD_ATTRIBUTES).reason or "")
        assert result.measurements

    def test_module_signer(self) -> None:
        given = collateral()
        info = json.loads(given.tcb_info)
        for module in (info["tdxModule"], info["tdxModuleIdentities"][0]):
            module["mrsigner"] = "01" + "00" * 47
        result = World(collateral=resigned(given, tcb_info=info)).appraise()
        assert failures(result) == ["tcb-status"]

    @pytest.mark.parametrize("status", ["TDRelaunchAdvised", "UpToDateWithWarnings", ""])
    def test_a_status_that_tcb_info_cannot_have(self, status: str) -> None:
        result = World(collateral=collateral(platform=status)).appraise()
        assert failures(result) == ["collateral"]


AFTER_SIGNATURE = [
    pytest.param({"report": {"td_attributes": SEPT_VE_DISABLE | 1}}, id="debug"),
    pytest.param({"report": {"td_attributes": SEPT_VE_DISABLE | 1 << 5}}, id="profiling"),
    pytest.param({"report": {"td_attributes": SEPT_VE_DISABLE | 1 << 29}}, id="migratable"),
    pytest.param({"report": {"td_attributes": SEPT_VE_DISABLE | 1 << 23}}, id="reserved"),
    pytest.param({"report": {"td_attributes": 0}}, id="SEPT_VE_DISABLE"),
    pytest.param({"report": {"tee_tcb_svn": bytes(16)}}, id="too old"),
    pytest.param({"report": {"tee_tcb_svn": bytes([5, 9, 2]) + bytes(13)}}, id="module"),
    pytest.param({"collateral": {"platform": "Revoked"}}, id="revoked"),
    pytest.param({"collateral": {"qe": "Revoked"}}, id="QE revoked"),
]


@pytest.mark.parametrize("case", AFTER_SIGNATURE)
def test_the_library_refuses_these_only_after_the_signature(case: dict[str, Any]) -> None:
    """What the verifier tells of such a quote rests on this order in dcap_qvl 0.7."""
    report = TdReport(report_data=V1_REPORT_DATA, **case.get("report", {}))
    given = collateral(**case.get("collateral", {}))
    world = World(report=report, collateral=given)
    good = world.mint()
    parts = dcap_qvl.QuoteCollateralV3.from_json(to_json(given))

    def cause(quote: bytes) -> str:
        with pytest.raises(ValueError, match="Verification failed") as caught:
            dcap_qvl.verify_with_root_ca(quote, parts, pki().root.der, NOW)
        return str(caught.value)

    plain = cause(good)
    assert "ignature" not in plain
    for at in (48 + 520, SIGNATURE, SIGNATURE + 63, QE_REPORT + 384):
        broken = bytearray(good)
        broken[at] ^= 1
        assert "ignature" in cause(bytes(broken))
        result = replace(world, quote=bytes(broken)).appraise()
        assert failures(result) == ["quote-signature"]
        assert result.measurements == {}
    world.quote = good
    result = world.appraise()
    assert result.claim(ClaimName.QUOTE_SIGNATURE).verdict is ClaimVerdict.PASSED
    assert result.measurements["mrtd"] == report.mrtd.hex()
    assert not result.affirmed


def test_what_only_the_library_refuses_is_refused() -> None:
    """A cause for a claim that this project would have let pass still fails that claim."""
    given = collateral()
    info = json.loads(given.tcb_info)
    info["tdxModuleIdentities"][0]["attributesMask"] = "00" * 8
    info["tdxModuleIdentities"][0]["attributes"] = "00" * 8
    info["tdxModuleIdentities"][0]["mrsigner"] = "FF" * 48
    result = World(
        collateral=resigned(given, tcb_info=info), policy=allowing("UpToDate")
    ).appraise()
    assert failures(result) == ["tcb-status"]


class TestNothingRaises:
    @pytest.mark.parametrize("now", [-1, 0, 2**31, 2**63, 2**64, 2**200, -(2**200)])
    def test_any_time(self, now: int) -> None:
        result = World(now=now).appraise()
        assert failures(result) == ["collateral"]
        assert result.to_json()["verdict"] == "rejected"
        told = result.to_json()["appraisedAt"]
        assert result.claim(ClaimName.COLLATERAL).actual == (told or str(now))

    def test_any_time_given_to_the_library(self) -> None:
        quote = World().mint()
        for now in (-1, 2**64, 2**200):
            found = verify(quote, collateral(), now, (INTEL_ROOT, anchor()))
            assert isinstance(found, Refusal)

    @pytest.mark.parametrize("quote", [b"", b"\0", b"\xff" * 5000, bytes(5000)])
    def test_any_quote(self, quote: bytes) -> None:
        assert failures(World(quote=quote).appraise()) == ["quote-format"]
        assert isinstance(verify(quote, collateral(), NOW, (anchor(),)), Refusal)

    def test_evidence_that_could_not_be_read(self) -> None:
        error = EvidenceError(ClaimName.QUOTE_FORMAT, "why", expected="this", actual="that")
        result = World(evidence=error).appraise()
        claim = result.claim(ClaimName.QUOTE_FORMAT)
        assert (claim.reason, claim.expected, claim.actual) == ("why", "this", "that")
        assert failures(result) == ["quote-format"]
        assert result.evidence_sha256 is None

    def test_evidence_without_collateral(self) -> None:
        result = World(collateral=None).appraise()
        assert failures(result) == []
        assert not result.affirmed
        assert result.fmspc == FMSPC
        assert not_reached(result)[:2] == ["quote-signature", "collateral"]

    def test_a_pck_certificate_past_its_end(self) -> None:
        """In date for the collateral, not for the certificate in the quote."""
        late = NOW + 12 * 365 * DAY
        quote = World().mint()
        assert isinstance(verify(quote, collateral(), late, (anchor(),)), Refusal)


def test_the_digest_of_evidence_covers_quote_and_log() -> None:
    def digest(quote: bytes, log: str | None) -> str | None:
        return World(evidence=Evidence(quote, log)).appraise().evidence_sha256

    assert digest(b"a", "b") == hashlib.sha256(b"a\nb").hexdigest()
    assert len({digest(b"a", "b"), digest(b"a", "c"), digest(b"b", "b"), digest(b"a", None)}) == 4
