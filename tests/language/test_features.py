"""Hover, actions, lenses, hints, symbols and names on one config."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ratls_ls.config.check import Context, apply, check
from ratls_ls.config.overlay import base_of
from ratls_ls.config.read import read
from ratls_ls.config.span import Span
from ratls_ls.language import actions, symbols
from ratls_ls.language.allow import allow
from ratls_ls.language.complete import complete
from ratls_ls.language.explain import explain
from ratls_ls.language.hover import escaped, hover
from ratls_ls.language.inlays import inlays
from ratls_ls.language.lenses import Action, lenses
from ratls_ls.rats.attestation import Attestation
from ratls_ls.rats.binding import LiveBinding
from ratls_ls.rats.errors import EvidenceError
from ratls_ls.rats.policy import TcbStatus
from ratls_ls.rats.result import AttestationResult, Claim, ClaimName, ClaimVerdict
from ratls_ls.status import UNCHECKED, ProviderStatus, State, StatusError

MRSEAM = "cc" * 48
TEXT = f"""\
model_provider = "tee" # mine
[profiles.work]
model_provider = "tee"

[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
env_key = "KEY"
use_ratls = true

[model_providers.tee.ratls_policy]
allowed_tdx_status = ["UpToDate", "uptodate"]
min_tdx_tcb = {{ mrseam = "{MRSEAM}" }}

[model_providers.other]
name = "other"
base_url = "https://other.example/v1"
"""
FILE = read(TEXT)


def result(verdict: ClaimVerdict = ClaimVerdict.PASSED, **changes: object) -> AttestationResult:
    claims = tuple(
        Claim(
            name, verdict if name is ClaimName.TCB_STATUS else ClaimVerdict.PASSED, reason="[x](y)"
        )
        for name in ClaimName
    )
    made = AttestationResult(
        claims,
        "https://tee.example:443",
        1_800_000_000,
        tcb_status="UpToDate",
        measurements={"mrseam": MRSEAM, "mrtd": "aa" * 48},
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's own fields


def known(state: State, found: AttestationResult | None = None) -> ProviderStatus:
    if found is None:
        return ProviderStatus(state)
    binding = LiveBinding("https://tee.example:443", "TLSv1.3", "tee.example", b"", b"", b"")
    evidence = EvidenceError(ClaimName.QUOTE_FORMAT, "none")
    return ProviderStatus(state, Attestation(found, evidence, None, binding), None, 1_800_000_000)


AFFIRMED = known(State.AFFIRMED, result())


def at(text: str, status: ProviderStatus = AFFIRMED, nth: int = 0) -> str:
    offset = -1
    for _ in range(nth + 1):
        offset = TEXT.index(text, offset + 1)
    found = hover(FILE, offset + 1, lambda _: status)
    return found.text if found is not None else ""


def test_keys_say_what_they_mean_and_what_codex_does() -> None:
    text = at("use_ratls")
    assert "upstream Codex ignores it" in text
    assert "Default: `false`" in text
    whose = {"wire_api": "the RA-TLS fork", "ratls_policy.pccs_url": "ratls-ls"}
    for key, reader in whose.items():
        assert f"Default of {reader}: `" in explain(key)
    assert "Live: `UpToDate`" in at("allowed_tdx_status")


@pytest.mark.parametrize(
    ("key", "says"), [("model_provider", "prompts go to"), ("oss_provider", "`codex --oss`")]
)
def test_keys_that_name_a_provider_say_so(key: str, says: str) -> None:
    for text in (f'{key} = "nobody"', f'[profiles.work]\n{key} = "x"'):
        found = hover(read(text), text.index(key) + 1, lambda _: UNCHECKED)
        assert found is not None
        assert says in found.text
    offered = complete(read(""), 0, lambda _: None, snippets=False)
    (item,) = (item for item in offered if item.label == key)
    assert says in explain(item.topic)


def test_what_is_built_in_is_said_to_be() -> None:
    found = hover(read('model_provider = "openai"'), 20, lambda _: UNCHECKED)
    assert found is not None
    assert found.text == "**openai** · built into Codex, not attested"
    found = hover(read('model_provider = "amazon-bedrock"'), 20, lambda _: UNCHECKED)
    assert found is not None
    assert found.text == "**amazon-bedrock** · built into upstream Codex alone, not attested"
    found = hover(read('[profiles.a.b]\nmodel_provider = "openai"'), 40, lambda _: UNCHECKED)
    assert found is None


def test_statuses_say_what_they_mean() -> None:
    assert "all security fixes" in at('"UpToDate"')


def test_measurements_are_compared_with_the_live_ones() -> None:
    assert "✓ the live value is the one pinned" in at(f'"{MRSEAM}"')
    other = known(State.AFFIRMED, result(measurements={"mrseam": "dd" * 48}))
    assert "✗ the live value is another one" in at(f'"{MRSEAM}"', other)
    assert "Live" not in at(f'"{MRSEAM}"', UNCHECKED)


@pytest.mark.parametrize("place", ["tee]", '"tee"'])
def test_providers_show_their_claims(place: str) -> None:
    text = at(place)
    assert "✓ attested" in text
    assert text.count("\n| ✓ |") == 10
    assert "[x](y)" not in text
    assert escaped("[x](y)") in text


def test_what_is_stale_is_said_to_be_so_with_its_cause() -> None:
    stale = replace(AFFIRMED, state=State.STALE)
    assert "too long ago to rely on" in at("tee]", stale)
    down = StatusError("unreachable-tcp", "cannot connect to `tee.example`")
    text = at("tee]", replace(stale, error=down))
    assert f"could not be renewed: {escaped(down.message)}" in text
    assert "too long ago" not in text
    assert "✓ attested" not in text


def test_simulated_is_said_wherever_it_is_shown() -> None:
    simulated = known(State.AFFIRMED, result(simulated=True))
    assert "SIMULATED" in at("tee]", simulated)
    assert "SIMULATED" in lenses(FILE, lambda _: simulated)[0].title


def test_what_a_server_says_makes_no_link() -> None:
    for text in (
        "https://evil.example",
        "HTTP://evil",
        "www.evil.example",
        "<b>",
        "a\u202eb",
        "a\nb",
        "a@evil.example",
        "&lt;b&gt;",
    ):
        shown = escaped(text)
        assert "://" not in shown
        assert "www." not in shown
        assert shown.isprintable()
        assert not set("<&@") & set(re.sub(r"\\.", "", shown))


def test_plain_text_has_no_markup() -> None:
    found = hover(FILE, TEXT.index("tee]"), lambda _: AFFIRMED)
    assert found is not None
    assert not set("`*|") & set(found.plain)


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert at("# mine") == ""


@pytest.mark.parametrize(
    ("status", "title", "can"),
    [
        (AFFIRMED, "✓ attested · UpToDate · 08:00 UTC", {Action.ATTEST, Action.PIN}),
        (
            replace(AFFIRMED, what_if=True),
            "✓ attested · UpToDate · as edited · 2027-01-15 08:00 UTC",
            {Action.ATTEST},
        ),
        (
            replace(AFFIRMED, state=State.STALE),
            "last attested · UpToDate · stale · 2027-01-15 08:00 UTC",
            {Action.ATTEST},
        ),
        (
            known(State.STALE, result(ClaimVerdict.FAILED)),
            "last rejected: tcb-status · stale · 2027-01-15 08:00 UTC",
            {Action.ATTEST},
        ),
        (
            known(State.REJECTED, result(ClaimVerdict.FAILED)),
            "✗ rejected: tcb-status · 08:00 UTC",
            {Action.ATTEST},
        ),
        (UNCHECKED, "not attested yet", {Action.ATTEST}),
        (known(State.CHECKING), "attesting …", set()),
        (known(State.UNREACHABLE), "unreachable", {Action.ATTEST}),
        (known(State.UNTRUSTED), "not attested: this workspace is not trusted", set()),
    ],
)
def test_lenses(status: ProviderStatus, title: str, can: set[Action]) -> None:
    found = lenses(FILE, lambda _: status)
    assert found[0].title == title
    assert {lens.action for lens in found[1:]} == can
    assert {lens.provider for lens in found} == {"tee"}


@pytest.mark.parametrize(
    "text",
    [TEXT.replace('"UpToDate"', '"UpToDat"'), TEXT + "\n[tui]\nratls_policy.compose_hash = '00'\n"],
)
def test_a_provider_with_errors_is_not_shown_as_attested(text: str) -> None:
    assert lenses(read(text), lambda _: AFFIRMED)[0].title == (
        "✗ not attested: the config has errors"
    )


def test_quick_fixes_of_what_is_touched() -> None:
    offset = TEXT.index('"uptodate"')
    found = list(actions.quick_fixes(check(FILE), Span(offset, offset)))
    assert found
    assert all(fix.problem is not None and fix.edits for fix in found)
    assert not list(actions.quick_fixes(check(FILE), Span(0, 0)))


def test_everything_that_is_safe_is_fixed_by_one_edit() -> None:
    assert actions.can_fix_everything(FILE, check(FILE))
    (edit,) = actions.fix_everything(FILE, Context())
    fixed = apply(TEXT, [edit])
    assert "uptodate" not in fixed
    assert "# mine" in fixed
    assert actions.fix_everything(read(fixed), Context()) == []
    assert not actions.can_fix_everything(read(fixed), check(read(fixed)))


def test_everything_is_offered_beside_one_fix_of_several() -> None:
    at = TEXT.index('"UpToDate"')
    one = read(
        TEXT.replace('"UpToDate", "uptodate"]', '"uptodate"]\npccs_url = "https://p.example"')
    )
    several = read(TEXT.replace('"UpToDate", ', '"outofdate", '))
    assert actions.can_fix_everything(one, check(one))
    assert not actions.can_fix_everything(one, check(one), Span(at, at))
    assert actions.can_fix_everything(several, check(several), Span(at, at))
    assert not actions.can_fix_everything(several, check(several), Span(0, 0))


def test_what_can_be_done_with_a_provider() -> None:
    span = Span(TEXT.index("tee]"), TEXT.index("tee]"))

    def titles(status: ProviderStatus) -> list[str]:
        return [each.title for each in actions.provider_actions(FILE, span, lambda _: status)]

    assert titles(AFFIRMED) == ["Attest tee now", "Pin what was verified of tee"]
    simulated = known(State.AFFIRMED, result(simulated=True))
    assert titles(simulated)[1] == "Pin what was verified of tee (SIMULATED)"
    # A policy that was edited since may pin something else than what was verified.
    assert titles(replace(AFFIRMED, what_if=True)) == ["Attest tee now"]
    assert titles(UNCHECKED) == ["Attest tee now"]
    assert titles(known(State.UNTRUSTED)) == []


def test_a_refused_status_can_be_allowed_but_never_by_preference() -> None:
    refused = known(State.REJECTED, result(ClaimVerdict.FAILED, tcb_status="OutOfDate"))
    for place in ("tee]", "allowed_tdx_status"):
        at = TEXT.index(place)
        found = list(actions.provider_actions(FILE, Span(at, at), lambda _: refused))
        action = found[-1]
        assert action.title == 'Allow "OutOfDate" (weakens the policy)'
        assert not action.preferred
        after = apply(TEXT, action.edits)
        assert after == TEXT.replace('"uptodate"]', '"uptodate", "OutOfDate"]')
    for other in (
        known(State.REJECTED, result(ClaimVerdict.FAILED, tcb_status="Revoked")),
        known(State.REJECTED, result(ClaimVerdict.FAILED, tcb_status=None)),
        known(State.REJECTED, result(ClaimVerdict.FAILED)),
        replace(refused, state=State.STALE),
        AFFIRMED,
    ):
        found = list(actions.provider_actions(FILE, Span(at, at), lambda _, other=other: other))
        assert not [action for action in found if "Allow" in action.title]


@pytest.mark.parametrize(
    ("policy", "after"),
    [
        ("", 'ratls_policy.allowed_tdx_status = ["UpToDate", "OutOfDate"]\n'),
        (
            "ratls_policy = {}\n",
            'ratls_policy = { allowed_tdx_status = ["UpToDate", "OutOfDate"] }\n',
        ),
        (
            'ratls_policy.allowed_tdx_status = [\n  "UpToDate", # a\n]\n',
            'ratls_policy.allowed_tdx_status = [\n  "UpToDate", "OutOfDate", # a\n]\n',
        ),
    ],
)
def test_allowing_in_policies_of_every_form(policy: str, after: str) -> None:
    head = '[model_providers.tee]\nname = "T"\nbase_url = "https://t.example"\nuse_ratls = true\n'
    file = read(head + policy)
    assert (
        apply(file.text, allow(file, file.providers["tee"], TcbStatus.OUT_OF_DATE)) == head + after
    )


def test_nothing_is_renamed_while_a_place_may_be_overlooked() -> None:
    broken = read(TEXT + "\n[model_providers.tee.ratls_policy.min_tdx_tcb\n")
    assert "syntax" in str(symbols.rename([broken], "tee", "new"))
    assert symbols.provider_at(read('model_provider = "openai"'), 20) is None


def test_a_rename_reaches_every_file_that_shares_the_id() -> None:
    profile = read('model_provider = "tee"\n')
    edits = symbols.rename([profile, FILE], "tee", "new")
    assert isinstance(edits, list)
    assert apply(profile.text, edits[0]) == 'model_provider = "new"\n'
    assert "[model_providers.new]" in apply(TEXT, edits[1])
    assert "already" in str(symbols.rename([profile, FILE], "tee", "other"))
    broken = read('model_provider = "tee"\n[')
    assert "not all of the files" in str(symbols.rename([FILE, broken], "tee", "new"))


def test_an_undefined_name_can_become_a_defined_one() -> None:
    text = TEXT.replace('provider = "tee" #', 'provider = "te" #')
    edits = symbols.rename([read(text)], "te", "tee")
    assert isinstance(edits, list)
    assert apply(text, edits[0]) == TEXT


def test_defaults_in_force_are_shown() -> None:
    (hint,) = inlays(FILE, Span(0, len(TEXT)))
    assert hint.text.startswith('pccs_url = "https://')
    assert hint.offset == TEXT.index("ratls_policy]") + len("ratls_policy]")
    assert inlays(FILE, Span(0, 5)) == []


def test_a_default_says_whose_it_is() -> None:
    text = "[model_providers.tee]\nuse_ratls = true\n"
    (hint,) = inlays(read(text), Span(0, len(text)))
    assert "alone" not in hint.text
    text += 'ratls_policy = { tee_type = "Tdx" }\n'
    (hint,) = inlays(read(text), Span(0, len(text)))
    own, pccs = hint.text.split(" · ")
    assert own == 'allowed_tdx_status = ["UpToDate"]'
    assert pccs.endswith(" (ratls-ls alone)")
    assert "refuses every server" in hint.why


def test_what_codex_ignores_has_no_defaults() -> None:
    text = "[model_providers.openai]\nuse_ratls = true\n"
    assert inlays(read(text), Span(0, len(text))) == []


def test_what_a_profile_leaves_out_is_not_the_defaults() -> None:
    text = "[model_providers.tee]\nuse_ratls = true\nratls_policy = {}\n"
    assert len(inlays(read(text), Span(0, len(text)))) == 1
    assert inlays(read(text, base=base_of(FILE)), Span(0, len(text))) == []


def test_the_outline() -> None:
    tee, other = symbols.outline(FILE)
    assert (tee.name, tee.detail) == ("tee", "use_ratls = true")
    assert (other.name, other.detail) == ("other", "not attested")
    assert [child.name for child in tee.children][-1] == "ratls_policy"

    def check_nesting(symbol: symbols.Symbol) -> None:
        assert symbol.span.start <= symbol.name_span.start
        assert symbol.name_span.end <= symbol.span.end
        for child in symbol.children:
            assert symbol.span.start <= child.span.start
            assert child.span.end <= symbol.span.end
            check_nesting(child)

    check_nesting(tee)


@pytest.mark.parametrize("new", ["tee2", "t e", "ü", 'a"b', "x.y"])
def test_a_rename_reaches_every_place(new: str) -> None:
    edits = symbols.rename([FILE], "tee", new)
    assert isinstance(edits, list)
    after = read(apply(TEXT, edits[0]))
    assert set(after.providers) == {new, "other"}
    assert {reference.id for reference in after.references} == {new}
    assert "# mine" in after.text
    back = symbols.rename([after], new, "tee")
    assert isinstance(back, list)
    assert apply(after.text, back[0]) == TEXT


@pytest.mark.parametrize("new", ["", "other", "a\nb", "openai"])
def test_names_that_no_provider_can_have(new: str) -> None:
    assert isinstance(symbols.rename([FILE], "tee", new), str)


def test_references_and_definition() -> None:
    spans = symbols.references(FILE, "tee", declaration=True)
    assert [span.of(TEXT).strip('"') for span in spans] == ["tee"] * 4
    assert len(symbols.references(FILE, "tee", declaration=False)) == 2
    (definition,) = symbols.definitions(FILE, "tee")
    assert definition.of(TEXT) == "[model_providers.tee]"


def test_links() -> None:
    assert [span.of(TEXT) for span, _ in symbols.links(FILE)] == [
        url for _, url in symbols.links(FILE)
    ]


@pytest.mark.parametrize("host", ["a\u202eb", "user@host", "h\u043est", "a b"])
def test_a_url_that_is_not_what_it_looks_like_is_no_link(host: str) -> None:
    text = f'[model_providers.tee]\nbase_url = "https://{host}/v1"\n'
    assert not list(symbols.links(read(text)))
