/** A folder that the user does not trust: looked at, but nobody is contacted for it. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { Code } from "./code.js";
import { Gate } from "./gate.js";
import { PATIENCE } from "./places.js";
import { type Simulated, simulate } from "./simulated.js";

let good: Simulated;
let gates: Gate[];
let code: Code;

beforeAll(async () => {
  good = await simulate("vllm-tee");
  const gated = await Gate.before(good.config);
  gates = gated.gates;
  const text = gated.config.replace("wire_api", "wire_ap");
  code = await Code.open(text, [good], { trusted: false });
}, 4 * PATIENCE);

afterAll(async () => {
  await code?.close();
  good?.stop();
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
