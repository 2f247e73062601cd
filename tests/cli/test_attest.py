"""`ratls-ls attest` as a person watches it, and as a script reads it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from ratls_ls.cli.main import run
from ratls_ls.rats.result import ClaimName
from ratls_ls.simulator import SimulatedProvider, serve
from tests.editors.world import code_blocks

from .program import COLUMNS, on_terminal, piped, started

DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"
STEPS = ["resolve", "connect", "TLS 1.3 handshake", "quote", "collateral"]
TIMED = re.compile(r"^  (.+?) +\d+ ms$")
COLOUR = re.compile(r"\x1b\[[\d;]*3\dm")
CONTROL = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")


@pytest.fixture
def attest(trusting: list[str | Path]) -> list[str | Path]:
    return ["attest", *trusting]


async def test_piped_it_is_a_line_for_each_step_and_claim(
    attest: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    ran = await piped(tmp_path, *attest, "tee")
    assert (ran.code, ran.errors) == (0, "")
    head, *lines, verdict = ran.out.splitlines()
    assert head == f"tee https://localhost:{provider.port}"
    assert _steps_and_claims(lines) == [*STEPS, *ClaimName]
    assert verdict.startswith(
        f"affirmed: tee https://localhost:{provider.port}, TCB UpToDate. SIMULATED"
    )
    assert "\x1b" not in ran.out


@pytest.mark.usefixtures("homeless")
async def test_without_a_home_what_is_named_is_attested_and_nothing_kept(
    attest: list[str | Path],
    provider: SimulatedProvider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("named.toml").write_text(provider.config_toml("tee"), "utf-8")
    there = set(tmp_path.iterdir())
    command = [*map(str, attest), "tee"]
    assert await asyncio.to_thread(run, [*command, "--config", "named.toml"]) == 0
    assert set(tmp_path.iterdir()) == there
    assert run(command) == 2
    assert "set HOME or CODEX_HOME" in capsys.readouterr().err


def test_the_document_shows_the_same() -> None:
    [sample] = code_blocks(DOCUMENT, "text")
    assert _steps_and_claims(sample.splitlines()[1:-1]) == [*STEPS, *ClaimName]


def _steps_and_claims(lines: list[str]) -> list[str]:
    timed = [found[1] for line in lines if (found := TIMED.match(line))]
    return timed + [line.split()[1] for line in lines if line.startswith("✓ ")]


async def test_the_nonce_is_not_shown(
    attest: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    ran = await piped(tmp_path, *attest, "tee")
    [quote] = provider.record.requests
    assert json.loads(quote.body)["nonce_hex"] not in ran.out


async def test_each_step_is_told_as_it_ends(
    attest: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    provider.set_faults(["pccs-silent"])
    async with started(tmp_path, *attest, "tee") as process:
        assert process.stdout is not None
        lines = [(await process.stdout.readline()).decode() for _ in range(len(STEPS))]
        assert [line.split("  ")[1] for line in lines[1:]] == STEPS[:-1]
        assert process.returncode is None


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colour", "no-colour"])
async def test_on_a_terminal_the_step_under_way_is_shown(
    attest: list[str | Path], tmp_path: Path, environment: dict[str, str]
) -> None:
    ran = await on_terminal(tmp_path, *attest, "tee", **environment)
    assert (ran.code, ran.errors) == (0, "")
    assert bool(COLOUR.search(ran.out)) is not bool(environment)
    assert "collateral …" in ran.out
    plain = CONTROL.sub("", ran.out).replace("\r", "\n")
    assert [name for name in ClaimName if f"✓ {name}" in plain] == list(ClaimName)
    assert max(map(len, plain.splitlines())) <= COLUMNS
    assert ran.out.rindex("\x1b[?25h") > ran.out.rindex("\x1b[?25l")  # the cursor is there again


async def test_json_is_the_result_alone(attest: list[str | Path], tmp_path: Path) -> None:
    ran = await on_terminal(tmp_path, *attest, "tee", "--json")
    assert json.loads(ran.out)["verdict"] == "affirmed"
    assert "\x1b" not in ran.out


async def test_a_rejection_says_what_was_expected_and_what_came(
    attest: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    provider.set_faults(["debug-td"])
    ran = await piped(tmp_path, *attest, "tee")
    assert (ran.code, ran.errors) == (1, "")
    assert ran.out.splitlines()[-1].startswith("rejected: tee")
    assert "✗ td-attributes" in ran.out
    assert re.search(r"^ {18}expected .+\S\n {18}got      .+\S$", ran.out, re.MULTILINE)


async def test_a_step_that_failed_is_marked(
    attest: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    await provider.stop_pccs()
    ran = await piped(tmp_path, *attest, "tee")
    assert ran.code == 2
    assert re.fullmatch(r"✗ collateral +\d+ ms", ran.out.splitlines()[-1])
    assert ran.errors.startswith("ratls-ls: tee: PCCS 127.0.0.1: ")
    assert ran.errors.count("\n") == 1


async def test_several_are_all_told_and_a_rejection_counts_most(
    attest: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    async with serve() as gone, serve(faults=["debug-td"]) as bad:
        providers = {"tee": provider, "gone": gone, "bad": bad}
        text = "\n".join(each.config_toml(name) for name, each in providers.items())
        (tmp_path / ".codex" / "config.toml").write_text(text, "utf-8")
        await gone.stop()
        ran = await piped(tmp_path, *attest, "tee", "gone")
        assert ran.code == 2
        ran = await piped(tmp_path, *attest, "--json", "gone", "bad", "tee")
        assert ran.code == 1
    assert ran.errors.startswith("ratls-ls: gone: cannot connect")
    results = json.loads("[" + ran.out.replace("}\n{", "},{") + "]")
    assert [(each["provider"], each["verdict"]) for each in results] == [
        ("bad", "rejected"),
        ("tee", "affirmed"),
    ]


async def test_nobody_is_contacted_where_one_is_unknown(
    attest: list[str | Path], provider: SimulatedProvider, tmp_path: Path
) -> None:
    ran = await piped(tmp_path, *attest, "tee", "tea")
    assert (ran.code, ran.out) == (2, "")
    assert "has no provider tea" in ran.errors
    assert provider.record.connections == []


async def test_a_config_that_is_not_toml_is_said_to_be_so(
    attest: list[str | Path], tmp_path: Path
) -> None:
    config = tmp_path / "bad.toml"
    config.write_text('[model_providers.a]\nname = "x\n\n[b', "utf-8")
    ran = await piped(tmp_path, *attest, "b", "--config", config)
    assert ran.code == 2
    assert ran.errors.splitlines()[0] == f"ratls-ls: {config} is not TOML:"
    assert f"{config}:2: toml-syntax: This string is not closed" in ran.errors
    assert "has no provider" not in ran.errors


@pytest.mark.parametrize(
    ("added", "code"),
    [
        ('ratls_policy.compose_hsh = "00"', "unknown-key"),
        ('[projects.x]\nmrtd = "00"', "misplaced-table"),
        ('[model_providers.te.ratls_policy]\ncompose_hash = "00"', "policy-without-use-ratls"),
        ('[model_providers.te.expected_bootchain]\nmrtd = "00"', "misplaced-key"),
        ("[model_providers.te]\nuse_ratls = true\nratls_policy = {}", "missing-base-url"),
    ],
)
@pytest.mark.parametrize("command", [["attest", "tee"], ["request", "tee", "/models"]])
def test_why_a_provider_is_not_attested_is_said(
    command: list[str],
    added: str,
    code: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    config = tmp_path / "config.toml"
    text = '[model_providers.tee]\nname = "TEE"\nbase_url = "https://t.example"\nuse_ratls = true\n'
    config.write_text(text + added, "utf-8")
    assert run(command) == 2
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "ratls-ls: tee has errors in its configuration:"
    assert code in [line.split(": ")[1] for line in lines]


@pytest.mark.parametrize(
    "below", [b"ratls_policy.mrtd = '00'", b"[tui]\nmrtd = '00'", b"# \xff", None]
)
@pytest.mark.parametrize("command", [["attest", "tee"], ["request", "tee", "/models"]])
def test_a_profile_over_a_config_with_errors_says_where_they_are(
    command: list[str],
    below: bytes | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`below`: what is added to the user's own config; None: that is a directory."""
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    text = '[model_providers.tee]\nname = "TEE"\nbase_url = "https://t.example"\nuse_ratls = true\n'
    if below is None:
        (tmp_path / "config.toml").mkdir()
    else:
        (tmp_path / "config.toml").write_bytes(text.encode() + below)
    profile = tmp_path / "slow.config.toml"
    # Of what cannot be read at all, nothing is missing in a profile that would do by itself.
    profile.write_text(text + "request_max_retries = 1\n", "utf-8")
    assert run([*command, "--config", str(profile)]) == 2
    assert "base-in-doubt" in capsys.readouterr().err


def test_without_a_name_it_is_every_attested_provider_of_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    own, profile = tmp_path / "config.toml", tmp_path / "work.config.toml"
    table = '[model_providers.{0}]\nname = "TEE"\nbase_url = "https://127.0.0.1:{1}"\n'
    attested = table + "use_ratls = true\n"

    def said(text: str, over: str | None = None) -> str:
        own.write_text(text, "utf-8")
        profile.write_text(over or "", "utf-8")
        command = ["attest"] if over is None else ["attest", "--config", str(profile)]
        assert run(command) == 2
        return capsys.readouterr().err

    three = attested.format("one", 1) + attested.format("two", 2) + table.format("plain", 3)
    assert said(three).count("cannot connect") == 2
    # A profile is about the one that it selects, too.
    assert "127.0.0.1:2" in said(three, 'model_provider = "two"\n')
    assert said(three, 'model_provider = "two"\n' + attested.format("own", 4)).count("cannot") == 2
    assert said(three, 'model_provider = "plain"\n') == (
        f"ratls-ls: {profile} has no attested provider\n"
    )
    assert f"{own}:5: wrong-type" in said(attested.format("one", 1) + "env_key = 1\n")
    assert f"{own}:1: toml-syntax" in said("[model_providers.\n")


@pytest.mark.parametrize("command", [["attest", "tee"], ["request", "tee", "/models"]])
def test_what_a_profile_leaves_as_it_is_is_that_of_the_users_own_config(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path))
    own, profile = tmp_path / "config.toml", tmp_path / "slow.config.toml"
    text = (
        '[model_providers.tee]\nname = "TEE"\nbase_url = "https://127.0.0.1:1"\nuse_ratls = true\n'
    )

    def said(below: str, over: str) -> str:
        own.write_text(text + below, "utf-8")
        profile.write_text(f'model_provider = "tee"\n{over}', "utf-8")
        assert run([*command, "--config", str(profile)]) == 2
        return capsys.readouterr().err

    assert "127.0.0.1:1" in said("", "")
    assert f"{own}:5: wrong-type" in said("env_key = 1\n", "")
    # What cannot be read there may be about any provider.
    assert f"{profile}:2: toml-syntax" in said("", "[model_providers.\nmrtd = '00'\n")
    assert f"{profile}:3: misplaced-table" in said("", "[tui]\nmrtd = '00'\n")
