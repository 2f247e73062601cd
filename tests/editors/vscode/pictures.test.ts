/** The pictures of the README: one window, in light and in dark. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { Code } from "./code.js";
import { PATIENCE } from "./places.js";
import { type Simulated, simulate } from "./simulated.js";

let good: Simulated;
let attacked: Simulated;
let code: Code;

beforeAll(async () => {
  good = await simulate("vllm-tee");
  attacked = await simulate("staging-tee", "relay");
  const config = pinningWhatBoots(`${good.config}\n${attacked.tables}`);
  const window = { width: 1180, height: 880, scale: 1.5 };
  code = await Code.open(config, [good, attacked], {}, window);
}, 4 * PATIENCE);

afterAll(async () => {
  await code?.close();
  good?.stop();
  attacked?.stop();
});

test("one provider is attested, one is rejected, and the window says both", async () => {
  await code.page.locator(".pane-header", { hasText: "Attested Providers" }).click();
  await code.tidy(400);
  await code.lens("✓ attested").waitFor();
  await code.lens("✗ rejected").waitFor();
  for (const name of ["staging-tee", "vllm-tee"]) {
    await code.row(name).click();
    await code.row("channel-binding").waitFor();
  }
  await code.press("Escape");
  await code.line("model_provider").click();
  await code.page.mouse.move(0, 0);
  await code.screenshot("light");
  // By the keyboard: the mouse would be over what has a tooltip.
  await code.type("Preferences: Toggle between Light/Dark Themes");
  await code.page.locator(".monaco-workbench.vs-dark").waitFor();
  await code.page.mouse.move(0, 0);
  await code.screenshot("dark");
  expect(code.languageServers).toHaveLength(1);
});

/** With no more pins than tell firmware, kernel and command line: a picture has no room for all. */
function pinningWhatBoots(tables: string): string {
  return tables
    .replace(/\n\[[^\]]*\.min_tdx_tcb\](\n[^[\n]+)*\n/g, "")
    .replace(/^(os_image_hash|compose_hash|rtmr0) .*\n/gm, "");
}
