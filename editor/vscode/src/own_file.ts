/** Make a file for the user, and for nobody else to read. */

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Have a file at `path`; an empty one if there is none. What is there stays as it is. */
export async function ensureFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(path, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  }
}
