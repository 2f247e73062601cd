/** Which environment variables may be set to an API key. Pure. */

// What these hold decides which code runs, whom it trusts, or where its secrets are written.
const RESERVED =
  /^(PATH|HOME|SHELL|IFS|ENV|BASH_ENV|TMPDIR|PYTHON.*|LD_.*|DYLD_.*|GLIBC_.*|GCONV_PATH|SSL.*|OPENSSL.*|CODEX_HOME|XDG_.*|.*_PROXY)$/i;

export function mayHoldKey(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.test(name);
}
