"""What a shell offers at TAB, asked of the shells themselves. `make test-shells` installs them."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ratls_ls.cli.main import run

CONFIG = """\
[model_providers.tee-one]
name = "One"
base_url = "https://one.example/v1"
use_ratls = true
[model_providers.tee-two]
name = "Two"
base_url = "broken, and offered all the same"
use_ratls = true
[model_providers.tepid]
name = "Not attested"
base_url = "https://three.example/v1"
"""
# What is typed, and what may stand there.
CASES = [
    ("ratls-ls a", ["appraise", "attest"]),
    ("ratls-ls attest te", ["tee-one", "tee-two"]),
    ("ratls-ls request te", ["tee-one", "tee-two"]),
    ("ratls-ls attest tee-one --j", ["--json"]),
    ("ratls-ls check --format ", ["github", "json", "sarif", "text"]),
    ("ratls-ls simulate --fault pccs-d", ["pccs-deep-json", "pccs-down"]),
    ("ratls-ls check conf", ["config.toml"]),
    ("ratls-ls attest --config other.toml ", ["elsewhere"]),
]
# As readline, fish and zsh's line editor ask; every answer is a line, and a blank line ends the
# answers to one.
SCRIPTS = {
    "bash": """\
eval "$(ratls-ls completion bash)"
[[ "$(complete -p ratls-ls)" == *" -F _python_argcomplete ratls-ls" ]] || exit 1
for line in "$@"; do
  COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=9
  _python_argcomplete ratls-ls
  printf '%s\\n' "${COMPREPLY[@]}" ""
done
""",
    "fish": """\
ratls-ls completion fish | source
for line in $argv[2..]
  complete -C $line | string replace -r '\\t.*' ''
  echo
end
""",
    "zsh": """\
autoload -Uz compinit && compinit -u -D
eval "$(ratls-ls completion zsh)"
exec 3>&1
compadd() {
  [[ ${@[1,(i)(-|--)]} == *-[AOD]\\ * ]] && { builtin compadd "$@"; return }
  local -a found
  builtin compadd -A found "$@"
  (( $#found )) && print -rl -- $found >&3
}
zle -C offer complete-word _main_complete
zle-line-init() {
  for BUFFER in ${(f)LINES_TYPED}; do
    CURSOR=$#BUFFER
    zle offer
    print >&3
  done
  exit
}
zle -N zle-line-init
""",
}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_what_may_stand_there(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}, which make test-shells installs")
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    other = CONFIG.replace("tee-one", "elsewhere").partition("[model_providers.tee-two]")[0]
    (tmp_path / "other.toml").write_text(other, "utf-8")
    lines = [line for line, _ in CASES]
    command = [shell, "-c", SCRIPTS[shell], shell, *lines]
    terminal, end = pty.openpty()
    if shell == "zsh":  # which completes nothing but in its line editor
        (tmp_path / ".zshrc").write_text(SCRIPTS[shell], "utf-8")
        command = [shell, "-i"]
    try:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={
                "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
                "HOME": str(tmp_path),
                "CODEX_HOME": str(tmp_path),
                "TERM": "dumb",
                "LINES_TYPED": "\n".join(lines),
            },
            stdin=end,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        os.close(terminal)
        os.close(end)
    answers = [sorted(set(answer.split())) for answer in done.stdout.split("\n\n")]
    assert answers[:-1] == [words for _, words in CASES]


def test_every_shell_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert run(["completion", shell]) == 0
        assert "ratls-ls" in capsys.readouterr().out
