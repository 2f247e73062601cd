"""What editors are offered, on any config: no exception, and edits that do what they say alone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ratls_ls.config.check import apply
from ratls_ls.config.read import ConfigFile, read
from ratls_ls.config.span import Span
from ratls_ls.language import symbols
from ratls_ls.language.actions import provider_actions
from ratls_ls.language.allow import allow
from ratls_ls.language.complete import complete
from ratls_ls.language.hover import hover
from ratls_ls.language.inlays import inlays
from ratls_ls.language.lenses import lenses
from ratls_ls.language.pin import pin
from ratls_ls.rats.policy import TcbStatus
from ratls_ls.rats.result import AttestationResult
from ratls_ls.status import UNCHECKED

NAMES = ["tee", '"t e"', "'ü.x'"]
POLICIES = [
    "",
    "ratls_policy = {} # {P}\n",
    'ratls_policy = { tee_type = "Tdx" }\n',
    'ratls_policy.allowed_tdx_status = ["UpToDate", # one\n]\n',
    "[model_providers.{N}.ratls_policy] # P\n",
    '[model_providers.{N}.ratls_policy]\nallowed_tdx_status = ["UpToDate"]\n# end\n',
    '[model_providers.{N}.ratls_policy.min_tdx_tcb]\n  mrseam = "' + "cc" * 48 + '" # pinned\n',
    '[model_providers.{N}.ratls_policy]\nexpected_bootchain = { mrtd = "' + "aa" * 48 + '" }\n',
    "[model_providers.{N}.ratls_policy]\nallowed_tdx_status = []\n",
]
MEASURED = {"mrtd": "aa" * 48, "rtmr0": "bb" * 48, "mrseam": "cc" * 48, "osImageHash": "dd" * 32}
RESULT = AttestationResult((), None, 1, measurements=MEASURED)


def provider(name: str, policy: str, attested: bool) -> str:
    head = f'[model_providers.{name}] # {name}\nname = "N"\nbase_url = "https://x.example/v1"\n'
    return f"{head}use_ratls = {str(attested).lower()} # u\n" + policy.replace("{N}", name) + "\n"


def reference(name: str, profile: bool) -> str:
    value = name if name[0] in "\"'" else f'"{name}"'
    return (
        f"profiles.p.model_provider = {value} # r\n" if profile else f"model_provider = {value}\n"
    )


providers = st.lists(
    st.builds(provider, st.sampled_from(NAMES), st.sampled_from(POLICIES), st.booleans()),
    max_size=3,
    unique_by=lambda text: text.split("\n")[0],
).map("".join)
references = st.lists(
    st.builds(reference, st.sampled_from(NAMES), st.booleans()),
    max_size=2,
    unique_by=lambda text: text.split(" ")[0],
).map("".join)
newlines = st.sampled_from(["\n", "\r\n"])
configs = st.builds(
    lambda mark, first, rest, end: mark + (first + rest).replace("\n", end),
    st.sampled_from(["", "\ufeff"]),
    references,
    providers,
    newlines,
)


def meanings(file: ConfigFile) -> dict[str, object]:
    return {name: table.provider for name, table in file.providers.items()}


@given(configs, st.text(min_size=1, max_size=6))
@settings(max_examples=200)
def test_a_rename_is_undone_by_a_rename_and_changes_names_alone(text: str, new: str) -> None:
    file = read(text)
    for name in {*file.providers, *(each.id for each in file.references)}:
        found = symbols.rename([file], name, new)
        if isinstance(found, str):
            continue
        (edits,) = found
        after = read(apply(text, edits), file)
        assert not after.document.issues
        renamed = [new if each == name else each for each in file.providers]
        assert list(after.providers) == renamed
        assert after.text.count("#") - text.count("#") == len(edits) * new.count("#")
        if new not in {each.id for each in file.references}:
            back = symbols.rename([after], new, name)
            assert isinstance(back, list)
            assert meanings(read(apply(after.text, back[0]))) == meanings(file)


@given(configs)
@settings(max_examples=200)
def test_pins_and_allowed_statuses_are_all_that_edits_add(text: str) -> None:
    file = read(text)
    for name, table in file.providers.items():
        for edits in (pin(file, table, RESULT), allow(file, table, TcbStatus.OUT_OF_DATE)):
            if not edits:
                continue
            assert all(edit.span.start == edit.span.end or "{}" in text for edit in edits)
            after = read(apply(text, edits), file)
            assert not after.document.issues
            before, now = meanings(file), meanings(after)
            assert now.pop(name) != before.pop(name)
            assert now == before
            assert after.text.count("#") == text.count("#")
            assert after.text.count("\n") - after.text.count("\r\n") in (0, after.text.count("\n"))
        after = read(apply(text, pin(file, table, RESULT)))
        assert pin(after, after.providers[name], RESULT) == []


@given(st.one_of(configs, st.text()), st.floats(0, 1), st.floats(0, 0.3), st.text(max_size=3))
@settings(max_examples=300)
def test_anything_is_answered_anywhere(text: str, where: float, cut: float, typed: str) -> None:
    at = int(where * len(text))
    text = text[:at] + typed + text[at + int(cut * len(text)) :]
    file = read(text)
    offset = at + len(typed)
    for item in complete(file, offset, lambda _: RESULT, snippets=True):
        assert item.span.start <= offset <= item.span.end
        assert "\n" not in item.span.of(text)
    shown = hover(file, offset, lambda _: UNCHECKED)
    assert shown is None or shown.span.contains(offset)
    lenses(file, lambda _: UNCHECKED)
    inlays(file, Span(0, len(text)))
    list(provider_actions(file, Span(offset, offset), lambda _: UNCHECKED))
    symbols.outline(file)
    list(symbols.links(file))
    found = symbols.provider_at(file, offset)
    if found is not None:
        assert isinstance(symbols.rename([file], found[0], "zz"), (list, str))
