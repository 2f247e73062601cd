/** Which environment variables may be set to an API key. Pure. */

// What these hold decides which code runs, whom it trusts, or where its secrets are written.
const RESERVED =
  /^(PATH|HOME|SHELL|IFS|ENV|BASH_ENV|TMPDIR|PYTHON.*|LD_.*|DYLD_.*|GLIBC_.*|GCONV_PATH|SSL.*|OPENSSL.*|CODEX_HOME|XDG_.*|.*_PROXY)$/i;

export function mayHoldKey(name: string): boolean {
  return whyNoVariable(name) === undefined;
}

/** What to tell who gives this as a name; it may be the key itself, so it is not repeated. */
export function whyNoVariable(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return "Not the key yet: the name of its variable, of letters, digits and _.";
  }
  return RESERVED.test(name) ? "This variable cannot hold a key." : undefined;
}
