"""The JSON Schema says what the rules say, as far as a schema can; tombi and taplo take it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from ratls_ls.config.schema import schema

GOOD = """
model = "m"
model_provider = "tee"

[profiles.work]
model_provider = "cloud"

[model_providers.tee]
name = "TEE"
base_url = "https://tee.example/v1"
use_ratls = true

[model_providers.tee.ratls_policy]
tee_type = "Tdx"
allowed_tdx_status = ["UpToDate", "OutOfDate"]
pccs_url = "http://localhost:8081/v4"
grace_period = 86400
min_tdx_tcb = { mrseam = "0x@" }

[model_providers.amazon-bedrock.aws]
region = "eu-west-1"

[model_providers.cloud]
name = "Cloud"
aws = { region = "x" }
""".replace("@", "00" * 48)
PROVIDER = '[model_providers.tee]\nname = "TEE"\nbase_url = "https://tee.example/v1"\n'
POLICY = PROVIDER + "use_ratls = true\n[model_providers.tee.ratls_policy]\n"
BAD = {
    "reserved id": '[model_providers.openai]\nname = "x"\n',
    "bedrock, attested": "[model_providers.amazon-bedrock]\nuse_ratls = true\n",
    "no name": "[model_providers.tee]\n",
    "attested, no URL": '[model_providers.tee]\nname = "x"\nuse_ratls = true\n',
    "attested over http": PROVIDER.replace("https", "http") + "use_ratls = true\n",
    "wrong type": PROVIDER + 'use_ratls = "true"\n',
    "unknown key": PROVIDER + "frobnicate = 1\n",
    "policy alone": PROVIDER + "ratls_policy = {}\n",
    "unknown policy key": POLICY + "allowed = []\n",
    "TEE type": POLICY + 'tee_type = "SevSnp"\n',
    "no status": POLICY + "allowed_tdx_status = []\n",
    "revoked": POLICY + 'allowed_tdx_status = ["Revoked"]\n',
    "insecure PCCS": POLICY + 'pccs_url = "http://pccs.example/v4"\n',
    "no hex": POLICY + 'min_tdx_tcb.mrseam = "xx"\n',
    "empty pin": POLICY + 'compose_hash = ""\n',
    "too short": POLICY + 'min_tdx_tcb.mrseam = "0x00"\n',
    "too long": POLICY + f'os_image_hash = "{"00" * 33}"\n',
    "negative": POLICY + "grace_period = -1\n",
}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema())
    return jsonschema.Draft202012Validator(schema())


def test_good_files_are_valid(validator: jsonschema.Draft202012Validator) -> None:
    assert list(validator.iter_errors(tomllib.loads(GOOD))) == []


@pytest.mark.parametrize("text", BAD.values(), ids=list(BAD))
def test_bad_files_are_not(text: str, validator: jsonschema.Draft202012Validator) -> None:
    assert list(validator.iter_errors(tomllib.loads(text)))


def test_tombi_says_the_same(tmp_path: Path) -> None:
    tombi = shutil.which("tombi", path=str(Path(sys.executable).parent))
    if tombi is None:
        pytest.skip("needs tombi in the environment of these tests")
    (tmp_path / "schema.json").write_text(json.dumps(schema()))
    (tmp_path / "tombi.toml").write_text(
        'toml-version = "v1.0.0"\n[[schemas]]\npath = "schema.json"\ninclude = ["*.config.toml"]\n'
    )
    (tmp_path / "good.config.toml").write_text(GOOD)
    good = _lint(tombi, tmp_path, "good.config.toml")
    assert good.returncode == 0
    assert "Warning" not in good.stderr + good.stdout
    for number, text in enumerate(BAD.values()):
        (tmp_path / f"{number}.config.toml").write_text(text)
        assert _lint(tombi, tmp_path, f"{number}.config.toml").returncode != 0, text


def test_taplo_says_the_same(tmp_path: Path) -> None:
    # A native fork of it, whose lint takes the same schemas.
    taplo = shutil.which("plxt", path=str(Path(sys.executable).parent))
    if taplo is None:
        pytest.skip("needs plxt in the environment of these tests")
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(schema()))
    file = tmp_path / "config.toml"

    def told(text: str) -> str:
        file.write_text(text)
        ran = subprocess.run(
            [taplo, "lint", "--quiet", "--no-auto-config", "--schema", path.as_uri(), str(file)],
            env={"HOME": str(tmp_path), "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode == 0) == ("error[schema]" not in ran.stderr + ran.stdout)
        return ran.stderr + ran.stdout

    assert "error" not in told(GOOD)
    assert all("error[schema]" in told(text) for text in BAD.values())
    assert told(GOOD + BAD["reserved id"]).count("error[schema]") == 1


def _lint(tombi: str, folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tombi, "lint", "--offline", name], cwd=folder, capture_output=True, text=True, check=False
    )
