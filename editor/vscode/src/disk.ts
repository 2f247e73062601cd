/** What is asked of the disk about places. What cannot be had is as good as absent. */

import { readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Disk } from "./codex.js";

export const disk: Disk = { real, names };

/** Where a path leads, as far as it does. */
function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(real(parent), basename(path));
  }
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
