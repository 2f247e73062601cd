/**
 * Python environments of the extension's own, with the wheel that the extension carries.
 *
 * Invariant: an environment is used only when it was finished, and for exactly this wheel. Each is
 * made in a directory of its own, and none is removed that was started of late: so windows that
 * set it up at once, or run different versions, do not take it away from each other.
 */

import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isProgram } from "./locate.js";
import { type Run, run } from "./run.js";

// Says when the environment was finished, in milliseconds, and was touched when it was last used.
const FINISHED = "finished";
const PREFIX = "server-";
const DAY = 24 * 60 * 60 * 1000;
const KEPT_UNUSED = 30 * DAY;
const KEPT_UNFINISHED = DAY;

export class Environment {
  private constructor(
    private readonly storage: string,
    private readonly wheel: string,
    private readonly prefix: string,
  ) {}

  /** Undefined if the extension carries no wheel, as when it runs from source. */
  static async of(extension: string, storage: string): Promise<Environment | undefined> {
    const directory = join(extension, "out", "server");
    const files = await readdir(directory).catch(() => []);
    const wheel = files.find((file) => file.endsWith(".whl"));
    if (!wheel) {
      return undefined;
    }
    const path = join(directory, wheel);
    const digest = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
    return new Environment(storage, path, `${PREFIX}${digest.slice(0, 16)}-`);
  }

  /** The server's program in the environment that was finished last, if its Python is there. */
  async program(): Promise<string | undefined> {
    const found: { directory: string; finished: number }[] = [];
    for (const directory of await this.directories(this.prefix)) {
      const text = await readFile(join(directory, FINISHED), "utf8").catch(() => "");
      if (text && (await isProgram(join(directory, "bin", "python")))) {
        found.push({ directory, finished: Number(text) });
      }
    }
    const [last] = found.sort((one, other) => other.finished - one.finished);
    if (!last) {
      return undefined;
    }
    const now = new Date();
    await utimes(join(last.directory, FINISHED), now, now).catch(() => undefined);
    return join(last.directory, "bin", "ratls-ls");
  }

  /** Make one. `say` is told what is being done. Rejects with what went wrong. */
  async make(
    python: string,
    say: (step: string) => void,
    options: Omit<Run, "cwd">,
  ): Promise<void> {
    await mkdir(this.storage, { recursive: true });
    const directory = await mkdtemp(join(this.storage, this.prefix));
    const inStorage = { ...options, cwd: this.storage };
    try {
      say("making a Python environment");
      await run(python, ["-I", "-m", "venv", directory], inStorage);
      say("installing the language server");
      const installed = join(directory, "bin", "python");
      const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check"];
      await run(installed, ["-I", ...pip, this.wheel], inStorage);
      await writeFile(join(directory, FINISHED), `${Date.now()}`);
    } catch (error) {
      await remove(directory);
      throw error;
    }
    await this.removeUnused();
  }

  private async removeUnused(): Promise<void> {
    for (const directory of await this.directories(PREFIX)) {
      const used = await modified(join(directory, FINISHED));
      const since = used ?? (await modified(directory)) ?? Date.now();
      if (Date.now() - since > (used === undefined ? KEPT_UNFINISHED : KEPT_UNUSED)) {
        await remove(directory);
      }
    }
  }

  private async directories(prefix: string): Promise<string[]> {
    const found = await readdir(this.storage).catch(() => []);
    return found.filter((each) => each.startsWith(prefix)).map((each) => join(this.storage, each));
  }
}

/** In milliseconds; undefined if there is no such file. */
async function modified(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

/** What cannot be removed now is the next time that something is made. */
async function remove(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined);
}
