/** Which environment variables may be set to an API key. Pure. */

// What these hold decides which code runs, or whom it trusts.
const RESERVED =
  /^(PATH|HOME|SHELL|IFS|PYTHON.*|LD_.*|DYLD_.*|SSL_.*|CODEX_HOME|XDG_.*|.*_PROXY)$/i;

export function mayHoldKey(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.test(name);
}
