"""Every rule against its marked cases, and every fix against what a fix must be."""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ratls_ls.config import rules
from ratls_ls.config.build import terms_of
from ratls_ls.config.check import Context, apply, check, fix_all
from ratls_ls.config.policy_section import policy_verdict
from ratls_ls.config.problem import Fix, Problem, Severity
from ratls_ls.config.read import read
from ratls_ls.config.rules import policy_problems

from .cases import FOLDER, Case, load, mark_of

CASES = load()
# What takes effect by a fix is checked from then on.
_NOTES = (Severity.INFORMATION, Severity.HINT)
# What a rule's fix may bring up: what takes effect by it is judged from then on.
BRINGS_UP = {
    "policy-without-use-ratls": {"credential-fallback"},
    "misspelt-attestation": {"credential-fallback", "policy-without-use-ratls"},
    "misplaced-key": {"weak-tcb-status"},
    "unknown-key": {"weak-tcb-status"},
    "unknown-tcb-status": {"grace-period-without-out-of-date"},
    "wrong-type": {"credential-fallback", "unknown-tcb-status", "weak-tcb-status"},
}


def problems_of(text: str, context: Context) -> list[Problem]:
    return check(read(text, base=context.base), context)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_problems_stand_where_they_are_marked(case: Case) -> None:
    problems = problems_of(case.text, case.context)
    codes = {case.code, *(mark.code for mark in case.marks)}
    found = [mark_of(problem, case.text) for problem in problems if problem.code in codes]
    assert [(m.line, m.start, m.end, m.code) for m in found] == [
        (m.line, m.start, m.end, m.code) for m in case.marks
    ]
    for mark, actual in zip(case.marks, found, strict=True):
        assert mark.message in actual.message


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("case", [case for case in CASES if case.fixes], ids=str)
def test_fixes_give_the_text_shown(case: Case, newline: str) -> None:
    text = case.text.replace("\n", newline)
    problems = problems_of(text, case.context)
    fixes = {fix.title: fix for problem in reversed(problems) for fix in problem.fixes}
    for title, expected in case.fixes:
        assert title in fixes
        assert apply(text, fixes[title].edits) == expected.replace("\n", newline)


@pytest.mark.parametrize("case", [case for case in CASES if case.is_fixless], ids=str)
def test_no_fix_is_offered_where_none_may_be(case: Case) -> None:
    own = [p for p in problems_of(case.text, case.context) if p.code == case.code]
    assert own
    assert not [fix.title for problem in own for fix in problem.fixes]


@pytest.mark.parametrize("case", [case for case in CASES if "canary" in case.text], ids=str)
def test_no_message_or_title_repeats_a_secret(case: Case) -> None:
    for problem in problems_of(case.text, case.context):
        assert "canary" not in problem.message
        assert not any("canary" in fix.title for fix in problem.fixes)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fix_mends_its_problem_and_makes_no_other(case: Case) -> None:
    problems = problems_of(case.text, case.context)
    for problem in problems:
        for fix in problem.fixes:
            _assert_mends(case, problems, problem, fix)


def _assert_mends(case: Case, problems: list[Problem], problem: Problem, fix: Fix) -> None:
    fixed = apply(case.text, fix.edits)
    after = problems_of(fixed, case.context)
    codes_before, codes_after = (Counter(p.code for p in found) for found in (problems, after))
    assert codes_after[problem.code] < codes_before[problem.code]
    new = codes_after - codes_before - Counter(p.code for p in after if p.severity in _NOTES)
    assert not new.keys() - BRINGS_UP.get(problem.code, set()), new
    assert Counter(_comments(fixed)) == Counter(_comments(case.text))
    if "weakens" in fix.title:
        assert not fix.safe
        assert not fix.preferred


def _comments(text: str) -> list[str]:
    return re.findall(r"# .*", text)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fix_all_leaves_no_safe_fix_and_keeps_comments(case: Case) -> None:
    fixed = fix_all(case.text, case.context)
    if read(case.text).document.issues:
        assert fixed == case.text
        return
    left = [fix for problem in problems_of(fixed, case.context) for fix in problem.fixes]
    assert not any(fix.safe for fix in left)
    assert Counter(_comments(fixed)) == Counter(_comments(case.text))
    assert fix_all(fixed, case.context) == fixed


def _texts(case: Case) -> list[str]:
    """That of a case, and the same without each of its lines."""
    lines = case.text.splitlines(keepends=True)
    texts = ["".join([*lines[:index], *lines[index + 1 :]]) for index in range(len(lines))]
    return [case.text, *texts]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_policy_is_judged_by_itself_as_with_the_rest(case: Case) -> None:
    for text in _texts(case):
        for _, part in read(text, base=case.context.base).parts:
            for table in part.providers:
                verdict = policy_verdict(table, part.group) if table.under is None else None
                if verdict is not None:
                    assert verdict.problems == policy_problems(table)
                    assert verdict.terms == terms_of(table)


def test_a_policy_in_a_section_of_its_own_is_judged_by_itself() -> None:
    own = "[model_providers.a]\nname = 'A'\n[model_providers.a.ratls_policy]\ntee_type = 'x'\n"
    for text, by_itself in (
        (own, True),
        (f"{own}[model_providers.a.ratls_policy.min_tdx_tcb]\nmrseam = '00'\n", False),
        (f"{own}[model_providers.a.ratls_policy]\n", False),
        (own.replace("name", "use_rats = true\nname"), False),
        ("[model_providers.a]\nratls_policy.tee_type = 'x'\n", False),
    ):
        ((_, part),) = read(text).parts
        assert (policy_verdict(part.providers[0], part.group) is not None) is by_itself


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_check_that_is_left_out_would_say_nothing(case: Case) -> None:
    files = [read(text, base=case.context.base) for text in _texts(case)]
    for table in (table for file in files for table in file.providers.values()):
        for checks, keys in (
            (rules._RARE_KEY_CHECKS, table.own_keys),
            (rules._RARE_POLICY_CHECKS, table.policy_keys),
        ):
            names = {key.entry.key.name for key in keys}
            for rare, needed in checks:
                assert not names.isdisjoint(needed) or not list(rare(table))
        for strange in rules._UNKNOWN_KEY_CHECKS:
            assert table.unknown_keys or not list(strange(table))


WHOLE = """\
model_provider = "tee"

[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
env_key = "TEE_KEY"
use_ratls = true

[model_providers.tee.ratls_policy]
grace_period = 86400
allowed_tdx_status = ["UpToDate", "OutOfDate"]
pccs_url = "https://pccs.phala.network/tdx/certification/v4"
expected_bootchain.mrtd = "{hex}"
expected_bootchain.rtmr1 = "{hex}"
expected_bootchain.rtmr2 = "{hex}"
""".format(hex="00112233445566778899aabbccddeeff" * 3)


def _torn() -> Iterator[list[str]]:
    """WHOLE with one of its tables in two places, in the one or the other order."""
    lines = WHOLE.splitlines()
    tables = [line for line in lines if line.startswith("[")]
    for table in tables:
        start = lines.index(table)
        end = next((at for at in range(start, len(lines)) if not lines[at]), len(lines))
        for at in range(start + 1, end):
            for header in (table, f"{table.replace('.', ' . ')} # again"):
                yield [*lines[:at], header, *lines[at:]]
                yield [*lines[:start], table, *lines[at:], header, *lines[start + 1 : at]]
            name = table.strip("[]").removeprefix("model_providers.")
            inline = f"model_providers.{name} = {{ {lines[start + 1]} }}"
            yield [*lines[:1], inline, *lines[1 : start + 1], *lines[start + 2 :]]


def test_what_stands_in_two_places_is_told_as_that_and_nothing_is_missing() -> None:
    at_first = {problem.code for problem in check(read(WHOLE))}
    for lines in _torn():
        found = check(read("\n".join(lines)))
        assert {problem.code for problem in found} - at_first == {"toml-syntax"}, lines
        assert not [fix.title for problem in found for fix in problem.fixes], lines


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.code)
def test_every_rule_has_cases_words_and_an_example(rule: rules.Rule) -> None:
    own = [case for case in CASES if case.code == rule.code]
    assert any(case.marks for case in own), f"{FOLDER / rule.code}.md has no marked case"
    assert any(not case.marks for case in own), f"{FOLDER / rule.code}.md has no clean case"
    assert rule.words.strip()
    example = textwrap.dedent(rule.example).lstrip()
    contexts = [case.context for case in own if case.marks]
    assert any(
        rule.code in {problem.code for problem in problems_of(example, context)}
        for context in contexts
    )


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("frobnicate = 1", Severity.WARNING),
        ('model_provider = "tee"', Severity.ERROR),
        ("ratls_policy.frobnicate = 1", Severity.ERROR),
        ("ratls_policy.expected_bootchain.frobnicate = 1", Severity.ERROR),
    ],
)
def test_an_unknown_key_that_may_refuse_or_select_is_an_error(
    line: str, severity: Severity
) -> None:
    text = f'[model_providers.tee]\nname = "TEE"\nbase_url = "https://t.example"\n{line}\n'
    (found,) = (each for each in check(read(text)) if each.code == "unknown-key")
    assert found.severity is severity


def test_a_word_like_a_status_that_is_there_is_only_to_be_removed() -> None:
    text = WHOLE.replace('"OutOfDate"', '"UpToDateWithWarnings"')
    (found,) = (each for each in check(read(text)) if each.code == "unknown-tcb-status")
    assert [(fix.title, fix.preferred) for fix in found.fixes] == [
        ('Remove "UpToDateWithWarnings"', True)
    ]


@pytest.mark.parametrize(
    ("name", "preferred"),
    [
        ("stream_idle_timeout_s", True),
        ("stream_idle_timout_ms", True),
        ("stream_idle_timeout", False),
    ],
)
def test_a_number_of_nobody_knows_what_is_not_renamed_unasked(
    name: str, *, preferred: bool
) -> None:
    text = WHOLE.replace("use_ratls", f"{name} = 300\nuse_ratls")
    (found,) = (each for each in check(read(text)) if each.code == "unknown-key")
    assert [fix.preferred for fix in found.fixes] == [preferred]


def test_codes_are_unique_and_files_are_rules() -> None:
    codes = [rule.code for rule in rules.RULES]
    assert len(codes) == len(set(codes))
    assert {path.stem for path in FOLDER.glob("*.md")} == set(codes)
    modules = Path(rules.__file__).parent.glob("*.py")
    named = {
        path.stem.replace("_", "-") for path in modules if "\nRULE = " in path.read_text("utf-8")
    }
    assert named == set(codes)


def test_the_full_example_of_codex_has_no_error() -> None:
    text = textwrap.dedent(
        """
        [model_providers.vllm-tee]
        name = "vLLM TEE"
        base_url = "https://vllm.example.com/v1"
        wire_api = "chat"
        use_ratls = true

        [model_providers.vllm-tee.ratls_policy]
        tee_type = "Tdx"
        allowed_tdx_status = ["UpToDate", "SWHardeningNeeded", "ConfigurationNeeded"]
        pccs_url = "https://pccs.phala.network/tdx/certification/v4"
        """
    )
    file = read(text)
    assert not [p for p in check(file) if p.severity is Severity.ERROR]
    assert file.providers["vllm-tee"].provider is not None


@pytest.mark.parametrize(
    "statuses",
    [["UpToDate"], ["UpToDate", "SWHardeningNeeded", "OutOfDateConfigurationNeeded"]],
)
def test_a_policy_fragment_lacks_only_its_provider(statuses: list[str]) -> None:
    text = f'[model_providers.llm.ratls_policy]\ntee_type = "Tdx"\nallowed_tdx_status = {statuses}'
    assert tomllib.loads(text)
    errors = {p.code for p in check(read(text)) if p.severity is Severity.ERROR}
    assert errors == {"missing-name", "missing-base-url", "policy-without-use-ratls"}
