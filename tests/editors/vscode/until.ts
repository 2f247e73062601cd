/** Wait for what a process says. */

import type { ChildProcess } from "node:child_process";

/** All that a process wrote by the time that `expected` is in it. */
export function until(child: ChildProcess, expected: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const look = (data: Buffer) => {
      text += data;
      if (expected.test(text)) {
        resolve(text);
      }
    };
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
    child.on("exit", () => reject(new Error(`ended early: ${text}`)));
  });
}
