/** Run a program to its end, without a shell. */

import { spawn } from "node:child_process";

/** `cwd`: no workspace, so that nothing in one is imported or run. `log` gets all output. */
export interface Run {
  cwd: string;
  signal?: AbortSignal;
  log?: (text: string) => void;
}

/** What it wrote to stdout. Rejects with the last line that it wrote to stderr. */
export function run(program: string, args: readonly string[], options: Run): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      signal: options.signal,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let complaint = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      options.log?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = text.trim().split("\n").at(-1) || complaint;
      options.log?.(text);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) {
        resolve(output);
      } else {
        reject(new Error(complaint || `${program} ended with code ${code}`));
      }
    });
  });
}
