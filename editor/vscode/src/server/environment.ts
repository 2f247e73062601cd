/**
 * A Python environment of the extension's own, with the wheel that the extension carries.
 *
 * Invariant: an environment is used only when it was finished, and for exactly this wheel.
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Run, run } from "./run.js";

const FINISHED = "finished";
const PREFIX = "server-";

export class Environment {
  private constructor(
    private readonly storage: string,
    private readonly wheel: string,
    private readonly name: string,
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
    return new Environment(storage, path, `${PREFIX}${digest.slice(0, 16)}`);
  }

  /** The server's program, if the environment is finished. */
  async program(): Promise<string | undefined> {
    const finished = await readFile(join(this.directory, FINISHED)).catch(() => undefined);
    return finished && join(this.directory, "bin", "ratls-ls");
  }

  /** Make it anew. `say` is told what is being done. Rejects with what went wrong. */
  async make(
    python: string,
    say: (step: string) => void,
    options: Omit<Run, "cwd">,
  ): Promise<void> {
    await mkdir(this.storage, { recursive: true });
    const inStorage = { ...options, cwd: this.storage };
    try {
      say("making a Python environment");
      await run(python, ["-I", "-m", "venv", "--clear", this.directory], inStorage);
      say("installing the language server");
      const installed = join(this.directory, "bin", "python");
      const pip = ["-m", "pip", "install", "--no-input", "--disable-pip-version-check"];
      await run(installed, ["-I", ...pip, this.wheel], inStorage);
      await writeFile(join(this.directory, FINISHED), "");
    } catch (error) {
      await rm(this.directory, { recursive: true, force: true });
      throw error;
    }
    await this.removeOlder();
  }

  private get directory(): string {
    return join(this.storage, this.name);
  }

  private async removeOlder(): Promise<void> {
    const found = await readdir(this.storage);
    const older = found.filter((each) => each.startsWith(PREFIX) && each !== this.name);
    await Promise.all(
      older.map((each) => rm(join(this.storage, each), { recursive: true, force: true })),
    );
  }
}
