"""What an editor is offered, through the real server: in utf-8 with a byte order mark and CRLF, and
in utf-16 without."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from ratls_ls.server import Options, Server

from .editor import Editor, editor

TEXT = """\
model_provider = "tee" # 𝛼ünë

[model_providers.tee]
name = "𝛼 ünë" # 𝛽
base_url = "https://tee.example/v1"
env_key = "KEY"
use_ratls = true
ratls_policy = { tee_type = "𝛾", allowed_tdx_status = ["uptodate"], pccs_url = "" }
"""
UNITS = {"neovim": "utf-8", "visual-studio-code": "utf-16"}


@pytest.fixture(params=UNITS)
async def ls(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Editor]:
    (tmp_path / ".codex").mkdir()
    settings = {"attestation": {"trigger": "manual"}}
    async with editor(tmp_path, capabilities=request.param, settings=settings) as driven:
        assert driven.position_encoding == UNITS[request.param]
        yield driven


@pytest.fixture
def text(ls: Editor) -> str:
    return variant(ls, TEXT)


def variant(ls: Editor, text: str) -> str:
    marked = "\ufeff" + text.replace("\n", "\r\n")
    return marked if ls.position_encoding == "utf-8" else text


def position(ls: Editor, text: str, found: str, *, after: bool = False) -> types.Position:
    offset = text.index(found) + (len(found) if after else 0)
    line = text.count("\n", 0, offset)
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    units = len(before.encode(ls.position_encoding.replace("16", "16-le")))
    return types.Position(line, units // (2 if ls.position_encoding == "utf-16" else 1))


def applied(ls: Editor, text: str, edit: types.TextEdit | types.WorkspaceEdit) -> str:
    """`text` after an edit, as an editor makes it."""
    edits: list[types.TextEdit] = []
    if isinstance(edit, types.WorkspaceEdit):
        edits += [each for found in (edit.changes or {}).values() for each in found]
        for change in edit.document_changes or []:
            assert isinstance(change, types.TextDocumentEdit)
            edits += [each for each in change.edits if isinstance(each, types.TextEdit)]
    else:
        edits = [edit]
    codec, width = (
        ("utf-16-le", 2) if ls.position_encoding == "utf-16" else (ls.position_encoding, 1)
    )
    lines = re.split(r"(?<=\n)", text)

    def offset(at: types.Position) -> int:
        line = lines[at.line].encode(codec)[: at.character * width].decode(codec)
        return sum(map(len, lines[: at.line])) + len(line)

    for each in sorted(edits, key=lambda each: offset(each.range.start), reverse=True):
        start, end = offset(each.range.start), offset(each.range.end)
        text = text[:start] + each.new_text + text[end:]
    return text


async def test_completion_replaces_the_word(ls: Editor, text: str, tmp_path: Path) -> None:
    uri = ls.open(tmp_path / ".codex" / "config.toml", text)
    at = position(ls, text, "𝛾")
    params = types.CompletionParams(types.TextDocumentIdentifier(uri), at)
    found = await ls.text_document_completion_async(params)
    assert isinstance(found, types.CompletionList)
    (item,) = found.items
    assert isinstance(item.text_edit, types.TextEdit)
    assert 'tee_type = "Tdx", allowed' in applied(ls, text, item.text_edit)


async def test_what_an_item_means_is_told_when_asked(ls: Editor, text: str, tmp_path: Path) -> None:
    uri = ls.open(tmp_path / ".codex" / "config.toml", text)
    at = position(ls, text, "uptodate")
    params = types.CompletionParams(types.TextDocumentIdentifier(uri), at)
    found = await ls.text_document_completion_async(params)
    assert isinstance(found, types.CompletionList)
    item = next(item for item in found.items if item.label == "UpToDate")
    assert item.documentation is None
    resolved = await ls.completion_item_resolve_async(item)
    assert isinstance(resolved.documentation, types.MarkupContent)
    assert "all security fixes" in resolved.documentation.value
    assert resolved.text_edit == item.text_edit


async def test_hover_marks_what_it_speaks_of(ls: Editor, text: str, tmp_path: Path) -> None:
    uri = ls.open(tmp_path / ".codex" / "config.toml", text)
    at = position(ls, text, "allowed_tdx_status")
    found = await ls.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(uri), at)
    )
    assert found is not None
    assert found.range is not None
    assert found.range.start == at
    assert found.range.end == position(ls, text, "allowed_tdx_status", after=True)


async def test_a_quick_fix_and_all_of_them(ls: Editor, text: str, tmp_path: Path) -> None:
    uri = ls.open(tmp_path / ".codex" / "config.toml", text)
    shown = await ls.diagnostic(uri, "tcb-status-case")
    document = types.TextDocumentIdentifier(uri)
    actions = await ls.text_document_code_action_async(
        types.CodeActionParams(document, shown.range, types.CodeActionContext([shown]))
    )
    titles = {action.title: action for action in actions or []}
    assert "Fix all that is safe to fix" not in titles  # it is the only one
    fix = titles['Change to "UpToDate"']
    assert isinstance(fix, types.CodeAction)
    assert fix.edit is not None
    assert '["UpToDate"]' in applied(ls, text, fix.edit)
    assert fix.diagnostics is not None
    assert fix.diagnostics[0] == shown

    context = types.CodeActionContext([], only=["source.fixAll"])
    everything = await ls.text_document_code_action_async(
        types.CodeActionParams(document, shown.range, context)
    )
    assert everything is not None
    (action,) = everything
    assert isinstance(action, types.CodeAction)
    assert action.kind == "source.fixAll.ratls"
    assert action.edit is None  # both editors ask for it when it was chosen
    action = await ls.code_action_resolve_async(action)
    assert action.edit is not None
    assert '["UpToDate"]' in applied(ls, text, action.edit)
    assert "# 𝛽" in applied(ls, text, action.edit)
    forged = types.CodeAction("x", kind=action.kind, data={"uri": 3})
    assert (await ls.code_action_resolve_async(forged)).edit is None


async def test_a_provider_is_renamed_everywhere(ls: Editor, text: str, tmp_path: Path) -> None:
    uri = ls.open(tmp_path / ".codex" / "config.toml", text)
    document, at = types.TextDocumentIdentifier(uri), position(ls, text, '"tee"')
    edit = await ls.text_document_rename_async(types.RenameParams(document, at, "ü"))
    assert edit is not None
    after = applied(ls, text, edit)
    assert 'model_provider = "ü"' in after
    assert '[model_providers."ü"]' in after
    with pytest.raises(JsonRpcException) as caught:
        await ls.text_document_rename_async(types.RenameParams(document, at, ""))
    assert caught.value.code == -32602
    where = await ls.text_document_definition_async(types.DefinitionParams(document, at))
    assert isinstance(where, list)
    assert len(where) == 1


async def test_a_profile_is_at_home_with_the_users_own(
    ls: Editor, text: str, tmp_path: Path
) -> None:
    home = tmp_path / ".codex"
    (home / "config.toml").write_text(text, "utf-8", newline="")
    (home / "other.config.toml").write_text('oss_provider = "tee"\n', "utf-8")
    named = variant(ls, 'model_provider = "tee" # 𝛼\n')
    uri = ls.open(home / "work.config.toml", named)
    document, at = types.TextDocumentIdentifier(uri), position(ls, named, "tee")
    found = await ls.text_document_completion_async(types.CompletionParams(document, at))
    assert isinstance(found, types.CompletionList)
    assert "tee" in [item.label for item in found.items]
    shown = await ls.text_document_hover_async(types.HoverParams(document, at))
    assert shown is not None
    assert "**tee**" in str(shown.contents)
    where = await ls.text_document_definition_async(types.DefinitionParams(document, at))
    assert isinstance(where, list)
    assert [place.uri for place in where] == [(home / "config.toml").as_uri()]
    assert where[0].range.start == position(ls, text, "[model_providers.tee]")
    context = types.ReferenceContext(include_declaration=False)
    places = await ls.text_document_references_async(types.ReferenceParams(context, document, at))
    names = {Path(place.uri).name for place in places or []}
    assert names == {"config.toml", "work.config.toml", "other.config.toml"}

    edit = await ls.text_document_rename_async(types.RenameParams(document, at, "new"))
    assert edit is not None
    changed = [c for c in edit.document_changes or [] if isinstance(c, types.TextDocumentEdit)]
    edits = {**(edit.changes or {}), **{c.text_document.uri: c.edits for c in changed}}
    assert {Path(each).name for each in edits} == names
    # The one that is open is changed in this version of it, the others as they are on disk.
    versions = {c.text_document.uri: c.text_document.version is not None for c in changed}
    assert all(is_open == (each == uri) for each, is_open in versions.items())
    own = list(edits[(home / "config.toml").as_uri()])
    # Editors show no byte order mark.
    after = applied(ls, text.removeprefix("\ufeff"), types.WorkspaceEdit(changes={"": own}))
    assert 'model_provider = "new"' in after
    assert "[model_providers.new]" in after

    ls.change(uri, named.replace("tee", "te"))
    undefined = await ls.diagnostic(uri, "undefined-provider")
    assert "here or in config.toml" in undefined.message
    assert "Did you mean `tee`?" in undefined.message


async def test_lenses_hints_symbols_and_links(ls: Editor, text: str, tmp_path: Path) -> None:
    text = text.replace(', pccs_url = ""', "").replace("𝛾", "Tdx")
    uri = ls.open(tmp_path / ".codex" / "config.toml", text)
    document = types.TextDocumentIdentifier(uri)
    lenses = await ls.text_document_code_lens_async(types.CodeLensParams(document))
    assert lenses is not None
    titles = [lens.command.title for lens in lenses if lens.command is not None]
    assert titles == ["not attested yet", "attest now"]
    whole = types.Range(types.Position(0, 0), types.Position(99, 0))
    hints = await ls.text_document_inlay_hint_async(types.InlayHintParams(document, whole))
    assert hints is not None
    assert "pccs_url" in str(hints[0].label)
    symbols = await ls.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    assert [symbol.name for symbol in symbols or []] == ["tee"]
    links = await ls.text_document_document_link_async(types.DocumentLinkParams(document))
    assert [link.target for link in links or []] == ["https://tee.example/v1"]


async def test_other_documents_get_nothing(ls: Editor, tmp_path: Path) -> None:
    uri = ls.open(tmp_path / "pyproject.toml", "[project]\nname = 'x'\n")
    document, at = types.TextDocumentIdentifier(uri), types.Position(1, 2)
    found = await ls.text_document_completion_async(types.CompletionParams(document, at))
    assert isinstance(found, types.CompletionList)
    assert not found.items
    assert await ls.text_document_hover_async(types.HoverParams(document, at)) is None
    assert not await ls.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    ls.open(tmp_path / "other.txt", "model")
    assert (
        await ls.text_document_hover_async(types.HoverParams(document, types.Position(9**8, 9**8)))
        is None
    )


def test_what_fails_gives_nothing_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Server):
        @property
        def session(self) -> NoReturn:  # type: ignore[override]  # stands in for any defect
            raise ValueError("a text with a secret")

    assert Failing(Options()).served("file:///x", lambda *_: 1, 0) == 0
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
