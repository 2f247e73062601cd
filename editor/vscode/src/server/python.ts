/** A Python that the language server runs on. */

import { onPath } from "./locate.js";
import { type Run, run } from "./run.js";

const NAMES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];
// Debian ships venv without ensurepip, and then a new environment has no pip.
const PROBE =
  "import sys, venv, ensurepip; assert sys.version_info >= (3, 11); print(sys.version.split()[0])";

export interface Python {
  program: string;
  version: string;
}

/** The first Python 3.11 or newer on the PATH that can make environments. */
export async function findPython(
  path: string | undefined,
  options: Run,
): Promise<Python | undefined> {
  const tried = new Set<string>();
  for await (const program of onPath(NAMES, path)) {
    if (!tried.has(program)) {
      tried.add(program);
      const version = await run(program, ["-I", "-c", PROBE], options).catch(() => undefined);
      if (version) {
        return { program, version: version.trim() };
      }
    }
  }
  return undefined;
}
