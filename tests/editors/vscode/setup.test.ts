/** Install and go: a user without a server is asked, says yes, and has one. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Code, PATIENCE, type Simulated, simulate } from "./world.js";

let good: Simulated;
let code: Code;

beforeAll(async () => {
  good = await simulate(mkdtempSync(join(tmpdir(), "ratls-simulated-")));
  code = await Code.open(good.config, { ca: [good.ca], dcap: [good.root] }, { server: false });
}, 4 * PATIENCE);

afterAll(async () => {
  await code?.close();
  good?.process.kill();
});

test("nothing is installed before the user says so; then it attests", async () => {
  const question = code.message("Set up the language server");
  await question.waitFor();
  expect(code.servers).toEqual([]);
  await code.screenshot("set-up");
  await question.locator(".monaco-button", { hasText: "Set Up" }).click();
  await code.status(/^(?!.*not).*attested/, 8 * PATIENCE);
}, 10 * PATIENCE);
