"""TOML to values with exact spans; what TOML 1.0 forbids is reported where it stands."""

from __future__ import annotations

import time
import tomllib

import pytest

from ratls_ls.config.toml.document import BYTE_ORDER_MARK, parse
from ratls_ls.config.toml.elements import whole_strings
from ratls_ls.config.toml.values import Array, Entry, Invalid, Table, Value, to_python

from .documents import all_of

FORMS = {
    "bare": "a = 1",
    "quoted": '"a b" = 1',
    "literal": "'a.b' = 1",
    "dotted": "a . \"b c\".'d' = 1 # x",
    "inline": "a = { b = 1, c.d = [ 2, { e = '3' } ] }",
    "array over lines": "a = [\n  1, # one\n  'two',\n]\nb = 2",
    "multi-line string": 'a = """\nx\ny = 1\n[z]\n"""\nb = 2',
    "multi-line literal": "a = '''\n\"\"\"\n'''\nb = 2",
    "escapes": r'a = "x\"y\\ \u00e9 \U0001F980"',
    "dates": "a = 1979-05-27T07:32:00Z\nb = 1979-05-27 07:32:00.5\nc = 1979-05-27\nd = 07:32:00",
    "numbers": "a = +1_000\nb = 0xFf\nc = 0o7\nd = 0b1\ne = -1.5e-3\nf = -inf\ng = 1e3",
    "booleans": "a = true\nb = false",
    "header": "[a]\nb = 1",
    "header with blanks": " [ a . 'b' ] # c\n  d = 1",
    "split over headers": "[a.b]\nc = 1\n[d]\n[a]\ne = 2\n[a.b.f]\ng = 3",
    "array of tables": "[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 3\n[[a.e]]",
    "arrays that look like headers": "a = [\n[1],\n [2]\n]\n[b]\nc = [\n['x']\n]",
    "dotted under a header": "[a]\nb.c = 1\nb.d.e = 2\n[a.b.d.f]",
    "no end of line": "[a]",
    "empty": "",
    "blank": "\n \t\n# x\n",
}

VARIANTS = {
    "LF": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "BOM": lambda text: "\ufeff" + text,
    "after non-ASCII": lambda text: '"ключ🦀" = "日本" # é\n' + text,
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_values_are_those_of_tomllib_and_stand_where_the_spans_say(form, variant) -> None:
    text = variant(form)
    document = parse(text)
    assert document.issues == ()
    assert to_python(document.root) == tomllib.loads(text.removeprefix(BYTE_ORDER_MARK))
    for entry in _entries(document.root):
        _assert_spans(entry, text)


LINES = ("k{} = {}true{} # x{}\n{}", 'k = "{}x{}" #{}{}', "k = '{}x{}'{}\n{}", "k = {}x{}{}{}")


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_toml_if_tomllib_takes_it_whatever_character_is_in_it(line: str) -> None:
    holes = line.count("{}")
    for code in (*range(0x100), 0x2028, 0x3000, 0xFEFF, 0x1F980):
        for hole in range(holes):
            text = line.format(*["" if each != hole else chr(code) for each in range(holes)])
            try:
                expected = tomllib.loads(text)
            except tomllib.TOMLDecodeError:
                assert parse(text).issues, repr(text)
            else:
                assert to_python(parse(text).root) == expected, repr(text)


def _entries(value: Value) -> list[Entry]:
    match value:
        case Table():
            return [found for entry in value for found in (entry, *_entries(entry.value))]
        case Array():
            return [found for item in value.items for found in _entries(item)]
        case _:
            return []


def _assert_spans(entry: Entry, text: str) -> None:
    for key in entry.keys:
        assert list(tomllib.loads(f"{key.span.of(text)} = 0")) == [key.name]
    assert text[entry.line_end :].startswith(("\n", "\r\n")) or entry.line_end == len(text)
    if isinstance(entry.value, Table) and entry.value.kind != "inline":
        return
    if isinstance(entry.value, Array) and entry.value.of_tables:
        assert entry.value.span.of(text).startswith("[[")
        return
    source = entry.value.span.of(text)
    value = tomllib.loads(f"value = {source}")["value"]
    assert to_python(entry.value) == value
    assert source == source.strip()
    assert entry.span.end == entry.value.span.end


BROKEN = {
    "a = ": "a =",
    "a = 1 2": "2",
    'a = "x': '"x',
    'a = "x\\': '"x\\',
    "a = 'x": "'x",
    'a = ["x", "y': '"y',
    'a = """x\ny': '"""x',
    "a = [1, 2": "[1, 2",
    "a = [1 2]": "2",
    "a = { b = 1": "{ b = 1",
    "a = { b = 1, }": ",",
    "a = {\nb = 1}": "{",
    "a = tru": "tru",
    "a = 01": "01",
    "a = 1__0": "1__0",
    "a = 1.": "1.",
    "a = [1,,2]": ",",
    "a = 2021-13-01": "2021-13-01",
    "a = 07:32": "07:32",
    r'a = "\x41"': r"\x41",
    r'a = "\e"': r"\e",
    r'a = "\q"': r"\q",
    'a = "\x01"': '\x01"',
    "a = '\x7f'": "\x7f'",
    "= 1": "= 1",
    "a": "a",
    "a b = 1": "b = 1",
    "[a": "[a",
    "[a.]": "[a.]",
    "[[a]": "[[a]",
    "[a] b": "[a] b",
    "[]": "[]",
    "a = 1\na = 2": "a",
    'a = 1\n"\\u0061" = 2': '"\\u0061"',
    "a = 1\na.b = 2": "a",
    "a = {}\na.b = 2": "a",
    "a.b = 1\na = {}": "a",
    "a = { b = 1, b = 2 }": "{ b = 1, b = 2 }",
    "[a]\n[a]": "a",
    "[a.b]\n[a]\nb.c = 1": "b",
    "[a]\nb.c = 1\n[a.b]": "b",
    "a = []\n[[a]]": "a",
    "[a]\n[[a]]": "a",
    "[[a]]\n[a]": "a",
    "a = [{}]\n[a.b]": "a",
    "a = 1\rb = 2": "\r",
    "\x00": "\x00",
    "a = 1\n\ufeffb = 1": "\ufeffb = 1",
    'a = "\ud800"': "\ud800",
    "a = " + "[" * 90 + "]" * 90: "[" * 90 + "]" * 90,
    ".".join("a" * 90) + " = 1": ".".join("a" * 90) + " = 1",
    "a = " + "1" * 5000: "1" * 5000,
    "a = [0x" + "f" * 5000 + "]": "0x" + "f" * 5000,
}


@pytest.mark.parametrize(("text", "marked"), BROKEN.items(), ids=map(repr, BROKEN))
def test_what_is_not_toml_is_reported_where_it_stands(text: str, marked: str) -> None:
    issues = parse(text).issues
    assert [issue.span.of(text) for issue in issues] == [marked]


@pytest.mark.parametrize(("text", "_"), BROKEN.items(), ids=map(repr, BROKEN))
def test_what_is_broken_hides_nothing_elsewhere(text: str, _: str) -> None:
    around = f"before = 1\n\n[x]\ny = 1\n\n{text}\n[z]\nafter = 3"
    if text.startswith('a = """'):
        return  # What is never closed reaches to the end, as in any reading of TOML.
    root = parse(around).root
    assert to_python(root.get("before")) == 1
    assert to_python(root.get("x", "y")) == 1
    assert to_python(root.get("z", "after")) == 3


def test_statements_around_a_broken_one_are_read() -> None:
    text = '[a]\nb = 1\nc = [1,\n  2\nd = "x\ne = 5 # é\nf\n'
    document = parse(text)
    assert len(document.issues) == 3
    assert isinstance(document.root.get("a", "c"), Invalid)
    assert isinstance(document.root.get("a", "d"), Invalid)
    assert isinstance(document.root.get("a", "f"), Invalid)
    assert to_python(document.root.get("a", "b")) == 1
    assert to_python(document.root.get("a", "e")) == 5


BROKEN_LINES = (
    "wat",
    "wat.",
    "use ratls = true",
    "ключ = 1",
    "= 3",
    "! x",
    "// note",
    "use_ratls: true",
    '"x',
    "'x",
    "]",
    "{ m",
    "wat = 07:32",
    "wat = [",
    'wat = """',
)


@pytest.mark.parametrize("line", BROKEN_LINES)
@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_broken_line_behind_a_statement_changes_nothing_in_it(form: str, line: str) -> None:
    (*before, last) = [section for _, section in parse(form).sections]
    document = parse(f"{form}\n{line}\nsafe = 1\n")
    (*after, changed) = [section for _, section in document.sections]
    assert [each.statements for each in after] == [each.statements for each in before]
    assert changed.statements[: len(last.statements)] == last.statements
    assert document.issues
    assert all(issue.span.start > len(form) for issue in document.issues)


def test_each_broken_line_behind_an_array_over_lines_is_told_by_itself() -> None:
    text = "a = [\n1,\n2\n]\nb\n! x\nc = 3"
    document = parse(text)
    assert [issue.span.of(text) for issue in document.issues] == ["b", "! x"]
    assert to_python(document.root) == {"a": [1, 2], "b": None, "c": 3}


@pytest.mark.parametrize("line", ["wat", "! [\n]", "x [", '! """', "! ]", "! {"])
def test_broken_lines_cost_as_much_as_they_are_many(line: str) -> None:
    begun = time.process_time()
    assert parse("a = [\n1\n]\n" + f"{line}\n" * 8000).issues
    assert time.process_time() - begun < 1


def test_blanks_behind_a_broken_key_cost_as_much_as_they_are_many() -> None:
    begun = time.process_time()
    assert parse("a" + " " * 20_000 + "b").issues
    assert time.process_time() - begun < 0.3


STRAY = ['["x', '"x",\n', "\n", " ", '\\"', '["""', "['''", "# [", ", "]


@pytest.mark.parametrize("piece", STRAY)
def test_the_strings_of_a_broken_array_take_the_time_of_its_length(piece: str) -> None:
    begun = time.process_time()
    list(whole_strings('["' + piece * 20_000, 0))
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("typed", ["a", "a.b", "b = 1\na", "[a]\nb", "[a]\nb.c"])
@pytest.mark.parametrize("header", ["[a.b.c]", "[[a.b.c]]", "[a.b.c.d]"])
def test_a_half_typed_key_gives_way_to_a_header_and_is_reported_alone(typed, header) -> None:
    text = f"{typed}\n\n{header}\ne = 1\n"
    document = parse(text)
    assert [issue.span.of(text) for issue in document.issues] == [typed.split("\n")[-1]]
    assert to_python(document.root.get(*"abc")) in ({"e": 1}, [{"e": 1}], {"d": {"e": 1}})


def test_an_array_that_stays_open_ends_before_the_next_section() -> None:
    document = parse("a = [\n[1],\n[2],\n\n[z]\nb = 3\n")
    assert document.issues
    assert to_python(document.root.get("z", "b")) == 3


TYPED = """\
model = 'x' # a
[a.b]
 one = "1"

two = [
  1, # "
]
[a.b.c]
x.y = 1
[d]
three = true"""


@pytest.mark.parametrize(
    "key",
    ["", *"x=\"'\n[]{#,. \\é", "\n[", '"""', "=\n", "\n\nx = 1\n", "[\nx = 1\n", BYTE_ORDER_MARK],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_key_typed_anywhere_and_undone_gives_what_the_whole_text_gives(
    key: str, newline: str
) -> None:
    """The empty one deletes."""
    before = TYPED.replace("\n", newline)
    whole = parse(before)
    for at in range(len(before) + 1):
        text = before[:at] + key + before[at + (key == "") :]
        typed = parse(text, whole)
        assert all_of(typed) == all_of(parse(text)), text
        assert all_of(parse(before, typed)) == all_of(whole), text


def test_unchanged_sections_are_kept() -> None:
    text = "a = 1\n[b]\nc = 1\n[d]\ne = 1\n"
    before = parse(text)
    after = parse("a = 22\n" + text[6:], before)
    assert [section for _, section in after.sections[1:]] == [
        section for _, section in before.sections[1:]
    ]
    assert after.groups[1][1] is before.groups[1][1]
    assert after.groups[1][0] == before.groups[1][0] + 1
