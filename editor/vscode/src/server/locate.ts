/**
 * Which program is the language server.
 *
 * Invariant: only an absolute path is ever run, and none comes from a workspace: a folder's own
 * `ratls-ls`, or a relative entry of the PATH, is not looked at.
 */

import { access, constants, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

/** `setting`: what the user names; `own`: what this extension has set up, if it has. */
interface Places {
  setting: string;
  own: string | undefined;
  path: string | undefined;
}

type Located = { program: string } | { missing: string | undefined };

/** The program, or what the user named in vain. */
export async function locate({ setting, own, path }: Places): Promise<Located> {
  if (setting) {
    return isAbsolute(setting) && (await isProgram(setting))
      ? { program: setting }
      : { missing: setting };
  }
  const program = own ?? (await onPath(["ratls-ls"], path).next()).value;
  return program ? { program } : { missing: undefined };
}

/** The programs of these names, in the order of the PATH for each name. */
export async function* onPath(
  names: readonly string[],
  path: string | undefined,
): AsyncGenerator<string, undefined> {
  const directories = (path ?? "").split(delimiter).filter(isAbsolute);
  for (const name of names) {
    for (const directory of directories) {
      const program = join(directory, name);
      if (await isProgram(program)) {
        yield program;
      }
    }
  }
  return undefined;
}

export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
