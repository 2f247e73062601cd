"""The config core under any text and any edit: no exception, one meaning, right spans."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ratls_ls.config.check import Context, apply, check, fix_all
from ratls_ls.config.place import header_path, place_at
from ratls_ls.config.problem import Severity
from ratls_ls.config.read import ConfigFile, read
from ratls_ls.config.span import LineIndex, PositionEncoding
from ratls_ls.config.tables import Part
from ratls_ls.config.toml.document import BYTE_ORDER_MARK, parse
from ratls_ls.config.toml.values import Array, Scalar, Table, Value, to_python
from ratls_ls.lsp.convert import Converter, Rendered
from tests.config.documents import all_of

KEYS = ["a", "b", '"a"', "'c d'", '"é"', "model_providers", "tee", "ratls_policy"]
VALUES = [
    "1",
    "1e3",
    "true",
    '"x"',
    '"ü\\n🦀"',
    "'\\'",
    "[]",
    "[1, [2]]",
    "[\n  1, # c\n  [2],\n]",
    "[\n[3]\n]",
    "{ a = 1, b.c = [] }",
    '"""\n[a]\nb = 1\n"""',
    "'''x\n'''",
    "1979-05-27T07:32:00Z",
]
BROKEN_VALUES = [
    "",
    "tru",
    '"x',
    "[1",
    "[1 2]",
    "{ a = 1,\n}",
    '"""x',
    "1 2",
    "07:32",
    '"\\e"',
    "]",
]
OTHER_LINES = [
    "",
    "# comment [a]",
    "  ",
    "\t# ü",
    "a",
    "[",
    "[a",
    "[a]]",
    "[[a]",
    "= 1",
    "]",
    '"""',
    "\r",
]

keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3).map(".".join)
headers = st.one_of(keys.map("[{}]".format), keys.map("[[{}]]".format))
statements = st.builds("{} = {}".format, keys, st.sampled_from(VALUES))
broken = st.one_of(
    st.builds("{} = {}".format, keys, st.sampled_from(BROKEN_VALUES)),
    st.sampled_from(OTHER_LINES),
    st.text(max_size=8),
)


def documents(*lines: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    newline = st.sampled_from(["\n", "\r\n"])
    return st.builds(lambda parts, end: end.join(parts), st.lists(st.one_of(*lines)), newline)


HEX = "00" * 48
PROVIDER_LINES = [
    "[model_providers.tee]",
    "[model_providers.TEE]",
    "[model_providers.tee.ratls_policy]",
    "[model_providers.tee.ratls_policy.min_tdx_tcb]",
    "[model_providers.openai]",
    "[model_providers]",
    "[model_provider.two]",
    "[profiles.work]",
    'model_provider = "te"',
    'name = "TEE" # ours',
    'base_url = "https://tee.example/v1"',
    'base_url = "http://tee.example/v1/chat/completions"',
    'base_url = "tee.example/v1 " # ours',
    "use_ratls = true",
    'use_ratls = "true" # yes',
    "use_ratls = false",
    'use_rats = "yes" # please',
    "tee_type = 'Tdx' # again",
    'env_key = "$KEY"',
    'wire_api = "Chat"',
    "request_max_retries = 1000 # many",
    'ratls_policy = { tee_type = "tdx", allowed_tdx_status = ["uptodate", "OutOfDate"] }',
    "ratls_policy = {}",
    'allowed_tdx_status = [\n  "UpToDate", # a\n  "uptodate", # b\n  "Revoked",\n  "Foo" # c\n]',
    "allowed_tdx_status = []",
    "grace_period = 60 # s",
    'pccs_url = "http://pccs.example/v4"',
    'mrseam = "0X00"',
    f'min_tdx_tcb.mrseam = "{HEX}"',
    f"min_tdx_tcb.mrseam = 0x{HEX} # no quotes",
    f'rtmr_1 = "{HEX}" # underscore',
    'min_tdx_tcb = { mrseam = "", mrtmrs = "00" }',
    'tee.base_ulr = "https://tee.example"',
    'tee = { name = "inline" }',
    "# a comment of its own",
    "",
]
configs = documents(st.sampled_from(PROVIDER_LINES))
any_documents = st.one_of(
    documents(headers, statements),
    documents(headers, statements, broken),
    documents(st.sampled_from(PROVIDER_LINES), broken),
    st.text(),
)


@given(any_documents)
@settings(max_examples=400)
def test_text_is_reported_exactly_if_it_is_not_toml_and_else_read_as_tomllib_does(
    text: str,
) -> None:
    document = parse(text)
    try:
        expected = tomllib.loads(text.removeprefix(BYTE_ORDER_MARK))
    except (tomllib.TOMLDecodeError, RecursionError):
        assert document.issues
        return
    assert not document.issues
    assert to_python(document.root) == expected


@given(any_documents)
@settings(max_examples=300)
def test_spans_stay_in_the_text_and_mark_their_value(text: str) -> None:
    file = read(text)
    for problem in check(file):
        assert 0 <= problem.span.start < problem.span.end <= len(text)
        for fix in problem.fixes:
            assert fix.edits
    for scalar in _scalars(file.root):
        source = scalar.span.of(text)
        assert tomllib.loads(f"value = {source}")["value"] == scalar.value
    for offset in range(len(text) + 1):
        place = place_at(file, offset)
        assert place is None or place.key.span.end <= len(text)
        assert header_path(file, offset) is None or place is None or place.path
    for table in file.providers.values():
        for span in (table.span, *table.id_spans, *table.policy_spans.values()):
            assert 0 <= span.start < span.end <= len(text)


def _scalars(value: Value) -> list[Scalar]:
    match value:
        case Scalar():
            return [value]
        case Array():
            return [found for item in value.items for found in _scalars(item)]
        case Table():
            return [found for entry in value for found in _scalars(entry.value)]
        case _:
            return []


edits = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0, 0.2), st.one_of(broken, headers, statements)),
    max_size=5,
)


@given(any_documents, edits)
@settings(max_examples=300)
def test_edits_give_what_the_whole_text_gives(
    text: str, changes: list[tuple[float, float, str]]
) -> None:
    context = Context(environment=frozenset())
    file, rendered = read(text), dict[Part, Rendered]()
    _shown(file, context, rendered)
    for where, length, new_text in changes:
        start = int(where * len(text))
        text = text[:start] + new_text + text[start + int(length * len(text)) :]
        file, again = read(text, file), read(text)
        assert _meaning(file, context) == _meaning(again, context)
        assert _shown(file, context, rendered) == _shown(again, context, {})


WHOLE = """\
model_provider = "tee"
# the first
[model_providers.tee]
name = "é🦀" # a comment [with brackets]
  base_url = 'https://tee.example/v1'
http_headers = { "X-A" = "b", c = 'd' }
use_ratls = true

[model_providers.tee.ratls_policy]
allowed_tdx_status = [
  "UpToDate", # b
  "SWHardeningNeeded",
]
note = '''
[a]
b = 1
'''
min_tdx_tcb = { mrseam = "00" }

[model_providers.two]
name = "Two"
ratls_policy.min_tdx_tcb.mrtmrs = "00"
[profiles.work]
model_provider = "two"
"""
_LONGER_KEYSTROKES = ['"""', "'''", "\nname = 1\n", "\n[x]\n"]
keystrokes = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from([0, 0, 1, 1, 2, 30]),
        st.sampled_from(
            ["", "", *"x=\"'[]{}#,. \\é🦀1\n", "\r\n", *_LONGER_KEYSTROKES, BYTE_ORDER_MARK]
        ),
        st.booleans(),
    ),
    max_size=8,
)


@given(st.sampled_from(["\n", "\r\n"]), keystrokes)
@settings(max_examples=400)
def test_keystrokes_give_what_the_whole_text_gives(
    newline: str, keys: list[tuple[float, int, str, bool]]
) -> None:
    """`undone`: most of what is typed becomes whole again."""
    text = WHOLE.replace("\n", newline)
    document = parse(text)
    for where, length, new_text, undone in keys:
        before, start = text, int(where * len(text))
        text = text[:start] + new_text + text[start + length :]
        for each in (text, before) if undone else (text,):
            text, document = each, parse(each, document)
            assert all_of(document) == all_of(parse(each))


def test_two_statements_in_the_place_of_one_give_what_the_whole_text_gives() -> None:
    document = parse('[a]\nname = "x"\nlast = 1\n')
    text = "[a]\nname = [\nfoo = 1\nlast = 1\n"
    assert all_of(parse(text, document)) == all_of(parse(text))


def test_a_byte_order_mark_moves_what_is_wrong_on_the_first_line() -> None:
    context, rendered = Context(), dict[Part, Rendered]()
    text = 'profile = "work"\n'
    file = read(text)
    (before,) = _shown(file, context, rendered)
    (after,) = _shown(read(BYTE_ORDER_MARK + text, file), context, rendered)
    for place in before["range"].values():
        place["character"] += 1
    assert after == before


def _shown(
    file: ConfigFile, context: Context, rendered: dict[Part, Rendered]
) -> list[dict[str, Any]]:
    index = LineIndex(file.text)
    converter = Converter("file:///config.toml", index, PositionEncoding.UTF_16)
    shown = [json.loads(text) for text in converter.problems(file, context, rendered)]
    expected = [index.range(each.span, PositionEncoding.UTF_16) for each in check(file, context)]
    assert sorted(map(str, expected)) == sorted(str(each["range"]) for each in shown)
    return shown


def _meaning(file: ConfigFile, context: Context) -> list[Any]:
    return [
        file.root,
        file.references,
        check(file, context),
        [
            (t.id, t.provider, t.span, t.id_spans, t.table, t.broken)
            for t in file.providers.values()
        ],
    ]


@given(configs)
@settings(max_examples=300)
def test_a_provider_exists_only_without_errors_of_its_own(text: str) -> None:
    file = read(text)
    errors = {p.provider for p in check(file) if p.severity is Severity.ERROR}
    for table in file.providers.values():
        if table.provider is not None:
            assert table.attested
            assert table.id not in errors


@given(configs)
@settings(max_examples=300)
def test_every_fix_mends_its_problem_and_keeps_the_rest(text: str) -> None:
    file = read(text)
    if file.document.issues:
        return
    problems = check(file)
    for problem in problems:
        for fix in problem.fixes:
            fixed = apply(text, fix.edits)
            after = read(fixed, file)
            assert not after.document.issues, fix.title
            left = [p for p in check(after) if p.code == problem.code]
            assert len(left) < len([p for p in problems if p.code == problem.code]), fix.title
            assert fixed.count("#") == text.count("#")


@given(st.one_of(configs, any_documents))
@settings(max_examples=150)
def test_fix_all_ends_and_leaves_toml_toml(text: str) -> None:
    fixed = fix_all(text)
    assert fix_all(fixed) == fixed
    assert bool(read(fixed).document.issues) == bool(read(text).document.issues)
    assert fixed.count("#") == text.count("#")
