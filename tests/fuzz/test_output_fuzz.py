"""What a file or a server says, as it is shown: no terminal or editor obeys any of it."""

from __future__ import annotations

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from ratls_ls.atls.errors import BrokenResponseError, RefusedRequestError, Step, UnreachableError
from ratls_ls.cli.exits import complain
from ratls_ls.cli.report import FORMATS, Checked
from ratls_ls.cli.show import show_result
from ratls_ls.config.check import Context, check
from ratls_ls.config.problem import Severity
from ratls_ls.config.read import read
from ratls_ls.config.secrets import masked
from ratls_ls.config.span import LineIndex, PositionEncoding, Span
from ratls_ls.config.words import printable
from ratls_ls.language.diagnose import Diagnostic, diagnose
from ratls_ls.language.symbols import outline
from ratls_ls.lsp.convert import Converter
from ratls_ls.lsp.methods import MethodError
from ratls_ls.rats.result import AttestationResult, Claim, ClaimName, ClaimVerdict
from ratls_ls.server.navigation import symbol_of
from ratls_ls.status import UNCHECKED

NASTY = "\x1b\x07\x08\x9b\x85\x00\r\u202e\u2066\u200f\u2028\ufeff\u00ad"
foreign = st.text(st.sampled_from([*NASTY, *'中🦀e\u0301a]"#=. \t']), max_size=8)
escaped = foreign.map(lambda text: "".join(f"\\U{ord(c):08x}" for c in text))
lines = st.one_of(
    st.builds('"{}" = 1'.format, escaped),
    st.builds('[model_providers."{}"]\nuse_ratls = true'.format, escaped),
    st.builds('[model_providers."{}"]\nhttp_headers = {{ "{}" = 1 }}'.format, escaped, escaped),
    st.builds('model_provider = "{}"'.format, escaped),
    st.builds('[model_providers.a]\nname = "{}" # {}'.format, escaped, foreign),
    st.builds('tee_type = "{}"\nwire_api = "{}"'.format, escaped, foreign),
    st.builds(
        'ratls_policy = {{ allowed_tdx_status = ["{}"], "{}" = 1 }}'.format, escaped, escaped
    ),
    st.builds("# {}\n{} = 1 {}".format, foreign, foreign, foreign),
    foreign,
)
texts = st.lists(lines, max_size=6).map("\n".join)


def obeyed(text: str) -> set[str]:
    """What is in `text` that is more than text."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs")} - {
        *"\n\t"
    }


def checked(text: str, name: str = "config.toml") -> Checked:
    file = read(text)
    problems = check(file, Context(environment=frozenset()))
    found = diagnose(file, problems, lambda _: UNCHECKED)
    return Checked(name, masked(file), LineIndex(text), found)


@given(texts, foreign)
@pytest.mark.parametrize("layout", FORMATS)
def test_what_check_prints(layout: str, text: str, name: str) -> None:
    stream = io.StringIO()
    FORMATS[layout]([checked(text, name)], stream)
    assert not obeyed(stream.getvalue())


@given(texts)
def test_what_an_editor_is_told(text: str) -> None:
    converter = Converter("file:///c.toml", LineIndex(text), PositionEncoding.UTF_16)
    for diagnostic in checked(text).diagnostics:
        shape = json.loads(converter.diagnostic(diagnostic))
        assert not obeyed("".join([shape["message"], *shape["data"]["fixes"]]))
    symbols = [symbol_of(symbol, converter) for symbol in outline(read(text))]
    while symbols:
        symbol = symbols.pop()
        assert symbol.name
        assert not obeyed(symbol.name)
        symbols += symbol.children or ()


@given(foreign)
def test_what_a_server_says(text: str) -> None:
    claims = tuple(
        Claim(name, verdict, text, text, text)
        for name, verdict in zip(ClaimName, [*ClaimVerdict] * 3, strict=False)
    )
    stream = io.StringIO()
    show_result(Console(file=stream), AttestationResult(claims, text, 0, tcb_status=text), text)
    errors = (
        UnreachableError(Step.PCCS, "host", text),
        BrokenResponseError(text, 0),
        RefusedRequestError("where", text),
        MethodError(0, text),
    )
    assert not obeyed("".join([stream.getvalue(), *map(str, errors)]))


@given(foreign)
def test_what_a_command_complains_of(text: str) -> None:
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", stream)
        complain(text)
    assert not obeyed(stream.getvalue())


@pytest.mark.parametrize("before", ["", "\t", "中文", "🦀", "e\u0301", "a\u202e", "中\t"])
@pytest.mark.parametrize("marked", ["x", "中文", "🦀🦀", "e\u0301x", "\u202e"])
def test_carets_stand_under_what_they_mark(before: str, marked: str) -> None:
    text = f'a = {{ "{before}" = 1, {marked} }}'
    start = text.index(f"{marked} }}")
    span = Span(start, start + len(marked))
    stream = io.StringIO()
    diagnostic = Diagnostic(span, Severity.ERROR, "code", "message")
    FORMATS["text"]([Checked("c.toml", text, LineIndex(text), [diagnostic])], stream)
    source, carets = stream.getvalue().split("\n")[2:4]
    left = source[: source.rindex(printable(marked))]
    assert cell_len(left) == carets.index("^")
    assert cell_len(printable(marked)) == carets.count("^")
