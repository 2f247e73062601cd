/** Install and go: a user without a server is asked, says yes, and has one. */

import { rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Code } from "./code.js";
import { PATIENCE } from "./places.js";
import { type Simulated, simulate } from "./simulated.js";

let good: Simulated;
let code: Code | undefined;

beforeAll(async () => {
  good = await simulate("vllm-tee");
}, PATIENCE);

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") {
    await code?.screenshot("failed");
  }
  await code?.close();
  code = undefined;
});

afterAll(() => {
  good?.stop();
});

test(
  "where there is no Python, the user is told what to do",
  async () => {
    code = await Code.open(good.config, [good], { server: false, path: "/nowhere" });
    const help = code.message("needs Python 3.11 or newer");
    for (const offer of ["Try Again", "Get Python", "Choose Program"]) {
      await help.locator(".monaco-button", { hasText: offer }).waitFor();
    }
    await code.screenshot("no-python");
    await code.status(/not attested/);
  },
  4 * PATIENCE,
);

test(
  "nothing is installed before the user says so; then it attests",
  async () => {
    code = await Code.open(good.config, [good], { server: false });
    const question = code.message("Set up the language server");
    await question.waitFor();
    expect(code.languageServers).toEqual([]);
    await code.screenshot("set-up");
    await question.locator(".monaco-button", { hasText: "Set Up" }).click();
    await code.attested(8 * PATIENCE);

    const [program = ""] = code.programs;
    writeFileSync(program, "#!/bin/sh\necho broken >&2\nexit 1\n");
    await code.run("ratls: Restart Language Server");
    const complaint = code.message("The language server does not start");
    await complaint.locator(".monaco-button", { hasText: "Set Up" }).waitFor();
    await code.screenshot("does-not-start");
    await code.status(/not attested/);
    await code.run("Notifications: Clear All Notifications");
    rmSync(join(dirname(program), "python"));
    await code.run("ratls: Restart Language Server");
    await question.waitFor();
  },
  10 * PATIENCE,
);
