/** A Python that the language server runs on. */

import { onPath } from "./locate.js";
import { type Run, run } from "./run.js";

const NAMES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];
// Debian ships venv without ensurepip, and then a new environment has no pip.
const PROBE = `
import importlib.util, json, sys
print(json.dumps({
  "version": sys.version.split()[0],
  "isNew": sys.version_info >= (3, 11),
  "hasVenv": None not in map(importlib.util.find_spec, ("venv", "ensurepip")),
}))
`;

export interface Python {
  program: string;
  version: string;
}

interface Probed extends Python {
  isNew: boolean;
  hasVenv: boolean;
}

/** The first on the PATH that is new enough and can make environments, or why there is none. */
export async function findPython(
  path: string | undefined,
  options: Run,
): Promise<Python | { missing: string }> {
  const probed: Probed[] = [];
  for await (const program of onPath(NAMES, path)) {
    if (!probed.some((each) => each.program === program)) {
      const python = await probe(program, options).catch(() => undefined);
      if (python?.isNew && python.hasVenv) {
        return python;
      }
      probed.push(...(python ? [python] : []));
    }
  }
  return { missing: missing(probed) };
}

async function probe(program: string, options: Run): Promise<Probed> {
  return { program, ...JSON.parse(await run(program, ["-I", "-c", PROBE], options)) };
}

/** What comes closest tells the user what to do. */
function missing(probed: readonly Probed[]): string {
  const incomplete = probed.find((each) => each.isNew);
  if (incomplete) {
    const { program, version } = incomplete;
    return `${program} (${version}) lacks venv; on Debian and Ubuntu: apt install python3-venv`;
  }
  const [old] = probed;
  return old ? `${old.program} is ${old.version}` : "there is no Python on the PATH";
}
