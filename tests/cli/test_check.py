"""`ratls-ls check` as a person, an editor and a CI job use it."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from rich.cells import cell_len

from ratls_ls.cli.main import run

SARIF_SCHEMA = Path(__file__).with_name("sarif-schema-2.1.0.json")  # OASIS's own
BAD = """\
# mine
[model_providers.tee]
name = "𝛼"
base_url = "http://x.example/v1" # 𝛽
env_key = "PATH"
use_ratls = true
ratls_policy = { allowed_tdx_status = ["uptodate"], pccs_url = "https://p.example/v4" }
"""
GOOD = BAD.replace("http:", "https:").replace("uptodate", "UpToDate")


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.toml"
    file.write_text(BAD, "utf-8")
    return file


def checked(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = run(["check", *map(str, arguments)])
    return code, capsys.readouterr().out


def test_text_shows_the_place(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = checked(capsys, bad)
    assert code == 1
    assert f"{bad}:4:12: error [insecure-base-url]" in out
    lines = out.splitlines()
    source = next(i for i, line in enumerate(lines) if "| base_url" in line)
    assert lines[source + 1].index("^") == lines[source].index('"http://')
    assert "fix: " in lines[source + 2]
    assert re.search(r"^1 error, \d other problems?$", out, re.MULTILINE)


def test_json_has_utf_16_positions(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = checked(capsys, "--format", "json", bad)
    problems = {problem["code"]: problem for problem in json.loads(out)["problems"]}
    found = problems["insecure-base-url"]
    assert found["file"] == str(bad)
    assert found["severity"] == "error"
    assert found["range"] == {
        "start": {"line": 3, "character": 11},
        "end": {"line": 3, "character": 32},
    }
    assert found["fix"]


def test_sarif(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = checked(capsys, "--format", "sarif", bad)
    document: dict[str, Any] = json.loads(out)
    Draft4Validator(json.loads(SARIF_SCHEMA.read_text("utf-8"))).validate(document)
    (sarif_run,) = document["runs"]
    assert document["version"] == "2.1.0"
    assert sarif_run["columnKind"] == "utf16CodeUnits"
    rules = [rule["id"] for rule in sarif_run["tool"]["driver"]["rules"]]
    for result in sarif_run["results"]:
        assert result["ruleId"] in rules
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert (region["endLine"], region["endColumn"]) > (
            region["startLine"],
            region["startColumn"],
        )


def test_github(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = checked(capsys, "--format", "github", bad)
    assert re.search(
        r"^::error file=.+,line=4,endLine=4,col=12,endColumn=33,title=insecure-base-url::",
        out,
        re.M,
    )


def test_github_gets_no_columns_over_several_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "several.toml"
    file.write_text('model_provider = [\n"a"\n]\n', "utf-8")
    _, out = checked(capsys, "--format", "github", file)
    assert re.search(r"^::error file=.+,line=1,endLine=3,title=wrong-type::", out, re.M)


@pytest.mark.parametrize("where", ["before", "after", "all over"])
def test_text_shows_a_part_of_a_long_line(
    where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, long = tmp_path / "long.toml", "日" * 200
    before = f'name = "{long}", ' if where == "before" else 'name = "T", '
    url = "http://x.example/" + ("x" * 300 if where == "all over" else "")
    after = f', query_params = {{ a = "{long}" }}' if where == "after" else ""
    text = f'model_providers.tee = {{ {before}base_url = "{url}", use_ratls = true{after} }}\n'
    file.write_text(text, "utf-8")
    _, out = checked(capsys, file)
    column = text.index('"http') + 1
    assert f":1:{column}: error [insecure-base-url]" in out
    block = out[out.index("[insecure-base-url]") :].splitlines()
    source, carets = (line.partition("| ")[2] for line in block[2:4])
    assert len(source) <= 162
    assert ("…" in source[0], "…" in source[-1]) == (where != "after", where != "before")
    start = cell_len(source[: source.index('"http')])
    marked = source[source.index('"http') :].rstrip("…") if where == "all over" else f'"{url}"'
    assert (carets.index("^"), carets.count("^")) == (start, cell_len(marked))


def test_fix_keeps_the_rest(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = checked(capsys, "--fix", bad)
    assert code == 0
    assert bad.read_text("utf-8") == GOOD


def test_several_files(bad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "good.toml"
    good.write_text(GOOD, "utf-8")
    assert checked(capsys, good)[0] == 0
    code, out = checked(capsys, good, bad)
    assert code == 1
    assert str(good) not in out.replace(str(bad), "") or "good.toml:" in out


def test_a_file_that_cannot_be_read_hides_no_other(
    bad: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.toml"
    assert run(["check", str(missing), str(bad)]) == 2
    out, err = capsys.readouterr()
    assert "insecure-base-url" in out
    assert f"cannot read {missing}" in err


def test_each_file_that_cannot_be_read_is_told_on_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    latin, missing = tmp_path / "latin.toml", tmp_path / "missing.toml"
    latin.write_bytes('# ü\nname = "'.encode() + b'\xfc"\n')
    assert run(["check", str(latin), str(missing)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"ratls-ls: {latin} is not UTF-8 text: line 2, column 9"
    assert told[1].startswith(f"ratls-ls: cannot read {missing}: ")
    assert len(told) == 2


@pytest.mark.parametrize("layout", ["text", "json", "sarif", "github"])
def test_no_secret_is_repeated(layout: str, bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with bad.open("a", encoding="utf-8") as stream:
        stream.write('experimental_bearer_token = "canary"\n')
    _, out = checked(capsys, "--format", layout, bad)
    assert "literal-credential" in out
    assert "canary" not in out


@pytest.mark.parametrize("layout", ["text", "json", "sarif", "github"])
@pytest.mark.parametrize(
    "lines",
    [
        'experimental_bearer_token =\n  "canary"\n',
        '[model_providers.tee.http_headers]\nAuthorization =\n"Bearer canary"\n',
        '[model_providers.tee.http_headers]\nAuthorization = """Bearer\ncanary"\n',
        "[model_providers.tee.query_params]\nkey =\ncanary.canary\n",
        '[model_providers]\ntoken =\n"canary"\n"canary"\n',
    ],
)
def test_no_secret_below_its_key_is_repeated(
    layout: str, lines: str, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with bad.open("a", encoding="utf-8") as stream:
        stream.write(lines)
    _, out = checked(capsys, "--format", layout, bad)
    assert "toml-syntax" in out
    assert "canary" not in out


def test_strict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.toml"
    file.write_text(GOOD.replace('env_key = "PATH"\n', ""), "utf-8")
    assert checked(capsys, file)[0] == 0
    assert checked(capsys, "--strict", file)[0] == 1


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))


def test_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    piped(monkeypatch, BAD.encode())
    code, out = checked(capsys, "-")
    assert code == 1
    assert out.startswith("-:")
    piped(monkeypatch, BAD.encode())
    assert checked(capsys, "--fix", "-") == (0, GOOD)


def test_a_projects_providers_are_said_to_be_ignored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "home"))
    project = tmp_path / ".codex" / "config.toml"
    project.parent.mkdir()
    project.write_text(GOOD, "utf-8")
    assert "[ignored-in-project]" in checked(capsys, project)[1]


@pytest.mark.parametrize("home", ["codex", "./codex", "~/codex"])
def test_a_relative_home_is_refused_as_it_does_not_count_in_an_editor(
    bad: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.chdir(bad.parent)
    monkeypatch.setenv("CODEX_HOME", home)
    # Whether a file that is named is a profile over one's own depends on it, too.
    for files in ([], [str(bad)]):
        assert run(["check", *files]) == 2
        assert "set CODEX_HOME to an absolute path" in capsys.readouterr().err


@pytest.mark.usefixtures("homeless")
def test_without_a_home_what_is_named_is_checked(
    bad: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checked(capsys, bad)[1].startswith(f"{bad}:")
    assert run(["check"]) == 2
    assert "set HOME or CODEX_HOME" in capsys.readouterr().err
    bad.rename(bad.with_name("config.toml"))
    monkeypatch.setenv("CODEX_HOME", str(bad.parent))
    assert checked(capsys)[0] == 1


@pytest.mark.parametrize("what", ["absent", "directory", "binary", "stdin"])
def test_what_cannot_be_read_is_exit_2(
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "file"
    if what == "directory":
        file.mkdir()
    elif what == "binary":
        file.write_bytes(b"\xff\xfe\x00")
    piped(monkeypatch, b"\xff")
    assert run(["check", "-" if what == "stdin" else str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_codes_can_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.toml"
    file.write_text(GOOD.replace('env_key = "PATH"\n', ""), "utf-8")
    assert checked(capsys, "--strict", file)[0] == 1
    assert (
        checked(capsys, "--strict", "--ignore", "credential-fallback,wire-api-chat", file)[0] == 0
    )
    code, out = checked(capsys, "--select=credential-fallback", "--strict", file)
    assert code == 1
    assert re.findall(r"\[([a-z-]+)\]$", out, re.MULTILINE) == ["credential-fallback"]
    assert run(["check", "--ignore", "credential-fallbak", str(file)]) == 2
    told = capsys.readouterr().err
    assert (
        told == "ratls-ls: there is no code credential-fallbak; did you mean credential-fallback?\n"
    )


def test_what_cannot_be_written_is_told_with_what_it_has(
    bad: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: str = "r", **options: Any) -> Any:
        if "w" in mode:
            raise PermissionError(13, "Permission denied")
        return open_(path, mode, **options)

    open_ = Path.open
    monkeypatch.setattr(Path, "open", refuse)
    assert run(["check", "--fix", str(bad)]) == 2
    out, err = capsys.readouterr()
    assert err == f"ratls-ls: cannot write {bad}: Permission denied\n"
    assert "[insecure-base-url]" in out
    assert "[tcb-status-case]" in out


def test_fix_says_what_it_fixed(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--fix", "--ignore", "tcb-status-case", str(bad)]) == 0
    assert capsys.readouterr().err == f"ratls-ls: {bad}: fixed insecure-base-url 1\n"
    assert '"uptodate"' in bad.read_text("utf-8")
    assert run(["check", "--fix", str(bad)]) == 0
    assert capsys.readouterr().err == f"ratls-ls: {bad}: fixed tcb-status-case 1\n"


def test_diff_changes_nothing_and_shows_no_secret(
    bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = bad.read_text("utf-8") + 'experimental_bearer_token = "canary"\n'
    bad.write_text(before, "utf-8")
    code, out = checked(capsys, "--diff", bad)
    assert (code, bad.read_text("utf-8")) == (1, before)
    assert '-base_url = "http://x.example/v1"\n' in out
    assert '+base_url = "https://x.example/v1"\n' in out
    assert "canary" not in out
    assert checked(capsys, "--diff", "--ignore=insecure-base-url,tcb-status-case", bad) == (0, "")


def test_sarif_names_files_and_rules_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("d e") / "a#b%.toml"
    file.parent.mkdir()
    file.write_text(BAD, "utf-8")
    for name, uri in ((file, "d%20e/a%23b%25.toml"), (file.absolute(), file.absolute().as_uri())):
        (found,) = json.loads(checked(capsys, "--format=sarif", name)[1])["runs"]
        (location,) = found["results"][0]["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == uri
        for rule in found["tool"]["driver"]["rules"]:
            short, full = rule["shortDescription"]["text"], rule["fullDescription"]["text"]
            assert short.endswith(".")
            assert full.startswith(short)
            assert rule["helpUri"].endswith(f"docs/rules.md#{rule['id']}")


def test_who_else_can_open_the_file(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad.chmod(0o666)
    assert "can change this file" in checked(capsys, bad)[1]
    bad.write_text(GOOD + 'experimental_bearer_token = "canary"\n', "utf-8")
    bad.chmod(0o644)
    assert "can read this credential" in checked(capsys, bad)[1]
    bad.chmod(0o600)
    assert "exposed-file" not in checked(capsys, bad)[1]


LIVE = (
    "--select=attestation-affirmed,attestation-rejected,attestation-degraded",
    "--select=attestation-unreachable,attestation-stale,measurement-changed",
)


def test_live_is_never_silent_of_a_provider_that_it_could_not_attest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.toml"
    file.write_text(GOOD + 'ratls_policy.compose_hsh = "00"\n', "utf-8")
    told = f"ratls-ls: {file}: tee was not attested: its configuration has errors\n"
    for options, code in (((), 1), (LIVE, 2), (("--ignore=unknown-key,toml-syntax",), 2)):
        assert run(["check", "--live", "--strict", *options, str(file)]) == code
        assert capsys.readouterr().err == told
    assert run(["check", "--ignore=unknown-key,toml-syntax", str(file)]) == 0
    assert capsys.readouterr().err == ""


def test_live_tells_of_a_provider_that_a_profile_leaves_to_the_users_own_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    own, profile = tmp_path / "config.toml", tmp_path / "work.config.toml"
    plain = '[model_providers.tee]\nname = "tee"\nbase_url = "https://127.0.0.1:1"\n'
    own.write_text(plain + "use_ratls = true\n", "utf-8")
    profile.write_text('model_provider = "tee"\n', "utf-8")
    assert run(["check", "--live", str(profile)]) == 2
    told = f"{profile}: tee was not attested: it stands in {own} alone; check that, too"
    assert capsys.readouterr().err == f"ratls-ls: {told}\n"
    for nothing in (["--live", str(profile), str(own)], [str(profile)]):
        assert run(["check", *nothing]) == 0
        assert capsys.readouterr().err == ""
    for selected, below in (("openai", plain + "use_ratls = true\n"), ("tee", plain)):
        own.write_text(below, "utf-8")
        profile.write_text(f'model_provider = "{selected}"\n', "utf-8")
        assert run(["check", "--live", str(profile)]) == 0
        assert capsys.readouterr().err == ""


@pytest.mark.parametrize("option", LIVE)
def test_what_only_live_finds_is_not_selected_without_it(
    option: str, bad: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for mending in ("--diff", "--fix", "--strict"):
        assert run(["check", option, mending, str(bad)]) == 2
        assert re.fullmatch(r"ratls-ls: [a-z-]+ comes of --live alone\n", capsys.readouterr().err)
    assert bad.read_text("utf-8") == BAD
    assert run(["check", "--ignore=attestation-rejected", str(bad)]) == 1
