/**
 * A folder that the user does not trust is looked at, but nobody is contacted for it; and the settings
 * that one brings along count for nothing, be it trusted or not.
 */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Code } from "./code.js";
import { Gate } from "./gate.js";
import { PATIENCE } from "./places.js";
import { type Simulated, simulate } from "./simulated.js";

let good: Simulated;
let gates: Gate[];
let code: Code;
let place: string;
const ran = () => join(place, "ran");

beforeAll(async () => {
  good = await simulate("vllm-tee");
  place = mkdtempSync(join(tmpdir(), "ratls-folder-"));
  const program = join(place, "program");
  writeFileSync(program, `#!/bin/sh\ntouch ${ran()}\n`, { mode: 0o755 });
  const gated = await Gate.before(good.config);
  gates = gated.gates;
  const text = gated.config.replace("wire_api", "wire_ap");
  const path = { path: program };
  const folder = { "ratls.server.path": program, "ratls.server": path, ratls: { server: path } };
  code = await Code.open(text, [good], { trusted: false, folder });
}, 4 * PATIENCE);

afterAll(async () => {
  await code?.close();
  good?.stop();
  rmSync(place, { recursive: true });
  for (const gate of gates ?? []) {
    gate.close();
  }
});

test("its config is checked, but nobody is contacted, and the user is told why", async () => {
  await code.page.locator(".squiggly-warning").first().waitFor();
  await code.status(/not attested/);
  await code.page.locator(".pane-header", { hasText: "Attested Providers" }).click();
  await code.page.locator(".pane-body", { hasText: "is not trusted" }).first().waitFor();
  await code.row("vllm-tee").filter({ hasText: "not attested" }).waitFor();
  await code.run("ratls: Attest All Providers");
  await code.message("nothing is contacted").waitFor();
  await code.run("ratls: Send Prompt over Attested TLS");
  await code.message("nothing sent").waitFor();
  await code.screenshot("untrusted");
  expect(gates.map((gate) => gate.connections)).toEqual([0, 0]);
  expect(existsSync(ran()), "the folder's program was run").toBe(false);
});

test("once it is trusted, it is attested", async () => {
  await code.run("Workspaces: Manage Workspace Trust");
  await code.page
    .locator(".workspace-trust-editor .monaco-button", { hasText: "Trust" })
    .first()
    .click();
  await code.attested();
  expect(gates.every((gate) => gate.connections > 0)).toBe(true);
});

test(
  "a trusted folder takes none of the user's settings away",
  async () => {
    const old = await simulate("old-tee", "first-generation");
    onTestFinished(() => old.stop());
    const strict = await Code.open(old.config, [old], {
      settings: { "ratls.attestation.requireSessionBinding": true },
      folder: { "ratls.attestation": null, "ratls.audit": [] },
    });
    onTestFinished(() => strict.close());
    await strict.status(/rejected/);
    await strict.screenshot("folder-settings");
  },
  4 * PATIENCE,
);
