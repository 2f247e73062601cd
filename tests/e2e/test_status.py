"""Live status as an editor sees it, from the real server over stdio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from ratls_ls.simulator import serve
from tests.session.world import hanging, out_of_date, play

from .editor import Editor, editor, refused, trust


@pytest.fixture
def config(home: Path) -> Path:
    return home / ".codex" / "config.toml"


async def command(ls: Editor, name: str, *arguments: Any) -> Any:
    params = types.ExecuteCommandParams(name, list(arguments))
    return await ls.workspace_execute_command_async(params)


@pytest.mark.parametrize("capabilities", ["visual-studio-code", "neovim"])
async def test_edits_are_judged_at_once_and_point_at_the_line_that_decided(
    home: Path, config: Path, monkeypatch: pytest.MonkeyPatch, capabilities: str
) -> None:
    async with serve() as provider:
        play(provider, monkeypatch, out_of_date)
        strict = "# ä𐐀\n" + provider.config_toml("tee")
        config.write_text(strict, "utf-8")
        async with editor(home, arguments=trust(provider, home), capabilities=capabilities) as ls:
            uri = ls.open(config)
            shown = await ls.diagnostic(uri, "attestation-rejected")
            assert shown.severity is types.DiagnosticSeverity.Error
            assert shown.source == "ratls"
            assert shown.code_description is not None
            assert shown.data["provider"] == "tee"
            (related,) = shown.related_information or []
            line = strict.split("\n")[related.location.range.start.line]
            assert line == 'allowed_tdx_status = ["UpToDate"]'
            connections = len(provider.record.connections)
            ls.change(uri, strict.replace('["UpToDate"]', '["UpToDate", "OutOfDate"]'))
            degraded = await ls.diagnostic(uri, "attestation-degraded")
            assert "judged by the policy as edited" in degraded.message
            told = await ls.status("tee", "affirmed")
            assert told["result"]["tcbStatus"] == "OutOfDate"
            assert told["uri"] == uri
            assert len(provider.record.connections) == connections
            ls.save(uri)
            await provider.record.wait_for(lambda record: len(record.connections) > connections)


async def test_lenses_are_asked_for_anew_when_a_status_changes(home: Path, config: Path) -> None:
    async with serve() as provider:
        config.write_text(provider.config_toml("tee"), "utf-8")
        async with editor(home, arguments=trust(provider, home)) as ls:
            ls.open(config)
            await ls.status("tee", "affirmed")
            await ls.until(lambda: ls.lenses_refreshed)


async def test_status_and_commands(home: Path, config: Path) -> None:
    async with serve() as provider:
        config.write_text(provider.config_toml("tee"), "utf-8")
        settings = {"attestation": {"trigger": "manual"}}
        async with editor(home, arguments=trust(provider, home), settings=settings) as ls:
            found = await ls.request("attestationStatus", None)
            assert [status["state"] for status in found["providers"]] == ["unchecked"]
            uri = ls.open(config)
            await command(ls, "ratls.attest", uri, "tee")
            assert (await ls.status("tee", "affirmed"))["result"]["verdict"] == "affirmed"
            fetched = len(provider.record.pccs_targets)
            await command(ls, "ratls.clearCache")
            found = await ls.request("attestationStatus", {"uri": uri, "refresh": True})
            assert [status["state"] for status in found["providers"]] == ["affirmed"]
            assert len(provider.record.pccs_targets) == 2 * fetched
            assert len(provider.record.connections) == 2
            for arguments in ([], [1], ["x", 2], [uri, "tee", "more"]):
                error = await refused(command(ls, "ratls.attest", *arguments))
                assert error.code == -32602
            for arguments in (["file:///nowhere.toml"], [uri, "nobody"]):
                error = await refused(command(ls, "ratls.attest", *arguments))
                assert (error.code, error.data) == (-32011, [])
            ls.change(uri, provider.config_toml("tee") + "\n[tui]\nmrtd = '00'\n")
            error = await refused(command(ls, "ratls.attest", uri, "tee"))
            assert "misplaced-table" in [problem["code"] for problem in error.data]
            assert (await refused(command(ls, "ratls.clearCache", 1))).code == -32602
            assert (await refused(ls.request("attestationStatus", [1]))).code == -32602
            assert (await refused(ls.request("attestationStatus", {"refresh": 1}))).code == -32602


async def test_what_was_verified_is_pinned(home: Path, config: Path) -> None:
    async with serve() as provider:
        text = "# ä𐐀\n" + provider.config_toml("tee", pinned=False) + "# the end"
        config.write_text(text, "utf-8")
        settings = {"attestation": {"trigger": "manual"}}
        async with editor(home, arguments=trust(provider, home), settings=settings) as ls:
            uri = ls.open(config)
            for arguments, code in (([uri], -32602), ([uri, None], -32602), ([uri, "tee"], -32011)):
                error = await refused(command(ls, "ratls.pinMeasurements", *arguments))
                assert error.code == code
            await command(ls, "ratls.attest", uri, "tee")
            await command(ls, "ratls.pinMeasurements", uri, "tee")
            (change,) = ls.applied[0].edit.document_changes or []
            assert isinstance(change, types.TextDocumentEdit)
            assert (change.text_document.uri, change.text_document.version) == (uri, 1)
            (edit,) = change.edits
            assert isinstance(edit, types.TextEdit)
            assert edit.range.start == edit.range.end
            ls.change(uri, (edit.range, edit.new_text))
            ls.save(uri)
            await command(ls, "ratls.attest", uri, "tee")
            found = await ls.request("attestationStatus", {"uri": uri})
            (claim,) = (
                claim
                for claim in found["providers"][0]["result"]["claims"]
                if claim["name"] == "measurements"
            )
            assert claim["actual"].startswith("as pinned: min_tdx_tcb.mrseam, min_tdx_tcb.mrtmrs")
            await command(ls, "ratls.pinMeasurements", uri, "tee")
            await ls.until(lambda: ls.messages)
            assert "pinned already" in ls.messages[0].message
            assert len(ls.applied) == 1


async def test_pins_that_the_editor_does_not_take_are_not_lost_in_silence(
    home: Path, config: Path
) -> None:
    async with serve() as provider:
        config.write_text(provider.config_toml("tee", pinned=False), "utf-8")
        async with editor(home, arguments=trust(provider, home)) as ls:
            ls.takes_edits = False
            uri = ls.open(config)
            await ls.status("tee", "affirmed")
            await command(ls, "ratls.pinMeasurements", uri, "tee")
            await ls.until(lambda: ls.messages)
            assert "read-only" in ls.messages[0].message


async def test_what_an_editor_is_told_of_pins_turns_nothing_round(home: Path, config: Path) -> None:
    name = "te\u202ee\x07\n"
    async with serve() as provider:
        config.write_text(provider.config_toml(name, pinned=False), "utf-8")
        async with editor(home, arguments=trust(provider, home)) as ls:
            ls.takes_edits = False
            uri = ls.open(config)
            await ls.status(name, "affirmed")
            await command(ls, "ratls.pinMeasurements", uri, name)
            ls.change(uri, provider.config_toml(name))
            ls.save(uri)
            await command(ls, "ratls.attest", uri, name)
            await command(ls, "ratls.pinMeasurements", uri, name)
            await ls.until(lambda: len(ls.messages) == 2)
            (asked,) = ls.applied
            for told in (asked.label, *(each.message for each in ls.messages)):
                assert told is not None
                assert "te" in told
                assert told.isprintable()


async def test_settings_are_asked_for_where_none_were_sent(home: Path, config: Path) -> None:
    async with serve() as provider:
        config.write_text(provider.config_toml("tee"), "utf-8")
        asked = {"ratls": {"trusted": False, "attestation": {"refreshMinutes": "often"}}}
        async with editor(home, arguments=trust(provider, home), configuration=asked) as ls:
            ls.open(config)
            await ls.until(lambda: ls.messages)
            assert "attestation.refreshMinutes" in ls.messages[0].message
            found = await ls.request("attestationStatus", None)
            assert [status["state"] for status in found["providers"]] == ["untrusted"]
            assert not provider.record.connections
            ls.configure({"ratls": {**asked["ratls"], "trusted": True}})
            await ls.status("tee", "affirmed")
            assert len(ls.messages) == 1


async def test_a_client_that_has_no_settings_to_ask_for_keeps_those_it_sent(
    home: Path, config: Path
) -> None:
    async with serve() as provider:
        config.write_text(provider.config_toml("tee"), "utf-8")
        elsewhere = home / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "config.toml").write_text(provider.config_toml("other"), "utf-8")
        settings = {"codexHome": str(elsewhere)}
        async with editor(home, arguments=trust(provider, home), settings=settings) as ls:
            ls.push(None)
            await ls.until(lambda: ls.asked)
            await ls.request("attestationStatus", None)  # by now the answer was taken in
            found = await ls.request("attestationStatus", None)
            assert [status["provider"] for status in found["providers"]] == ["other"]


async def test_settings_are_taken_as_they_are_pushed(home: Path, config: Path) -> None:
    async with serve() as provider:
        config.write_text(provider.config_toml("tee"), "utf-8")
        settings = {"trusted": False}
        async with editor(home, arguments=trust(provider, home), settings=settings) as ls:
            ls.open(config)
            # What does not speak of this server changes nothing.
            unspoken = {"ratls": {"attestation": {"refreshMinutes": 1}}}
            for pushed in ({"python": {"trusted": True}}, None, [1], unspoken):
                ls.push(pushed)
            found = await ls.request("attestationStatus", None)
            assert [status["state"] for status in found["providers"]] == ["untrusted"]
            assert (
                await refused(ls.request("attestedRequest", {"provider": "tee", "path": "/models"}))
            ).code == -32014
            assert not provider.record.connections
            ls.push({"ratls": {"trusted": True}})
            await ls.status("tee", "affirmed")


async def test_files_are_watched(home: Path, config: Path) -> None:
    async with serve() as provider:
        config.write_text(provider.config_toml("tee"), "utf-8")
        settings = {"attestation": {"trigger": "manual"}}
        async with editor(home, arguments=trust(provider, home), settings=settings) as ls:
            watched = await ls.until(
                lambda: ls.registered.get(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
            )
            own, projects = (each["globPattern"] for each in watched["watchers"])
            assert own == f"{home}/.codex/*.toml"
            assert projects == "**/.codex/*.toml"
            await ls.request("attestationStatus", None)
            config.write_text(provider.config_toml("tee", allowed_tdx_status=[]), "utf-8")
            change = types.FileEvent(config.as_uri(), types.FileChangeType.Changed)
            ls.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([change]))
            await ls.status("tee", "invalid")


async def test_a_check_that_takes_long_shows_that_it_runs_and_can_be_cancelled(
    home: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve() as provider:
        play(provider, monkeypatch, hanging)
        config.write_text(provider.config_toml("tee"), "utf-8")
        async with editor(home, arguments=trust(provider, home)) as ls:
            ls.open(config)
            token = "ratls-attestation-1"
            (begin,) = await ls.until(lambda: ls.parts.get(token))
            assert (begin["kind"], begin["message"], begin["cancellable"]) == ("begin", "tee", True)
            ls.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
            await ls.until(lambda: ls.parts[token][-1]["kind"] == "end")
            await ls.status("tee", "unchecked")
            await provider.record.wait_for(lambda record: record.connections[0].closed)


async def test_a_quick_check_shows_no_progress(home: Path, config: Path) -> None:
    async with serve() as provider:
        config.write_text(provider.config_toml("tee"), "utf-8")
        async with editor(home, arguments=trust(provider, home)) as ls:
            uri = ls.open(config)
            await ls.status("tee", "affirmed")
            await command(ls, "ratls.attest", uri)
            assert ls.parts == {}


async def test_what_was_verified_is_offered_while_it_is_typed(home: Path, config: Path) -> None:
    async with serve() as provider:
        text = provider.config_toml("tee", pinned=False)
        config.write_text(text, "utf-8")
        settings = {"attestation": {"trigger": "manual"}}
        async with editor(home, arguments=trust(provider, home), settings=settings) as ls:
            uri = ls.open(config)
            typed = text.rstrip("\n") + '\nmin_tdx_tcb.mrseam = ""'
            end = types.Position(typed.count("\n"), len(typed.split("\n")[-1]) - 1)
            params = types.CompletionParams(types.TextDocumentIdentifier(uri), end)

            async def offered() -> list[types.CompletionItem]:
                found = await ls.text_document_completion_async(params)
                assert isinstance(found, types.CompletionList)
                return list(found.items)

            ls.change(uri, typed)
            assert await offered() == []
            ls.change(uri, text)
            await command(ls, "ratls.attest", uri, "tee")
            status = await ls.status("tee", "affirmed")
            ls.change(uri, typed)
            (item,) = await offered()
            assert item.label == status["result"]["measurements"]["mrseam"]
            assert item.detail == "SIMULATED, just verified"
            ls.push({"ratls": {**settings, "trusted": False}})
            assert await offered() == []
