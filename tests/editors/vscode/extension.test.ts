import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Code, PATIENCE, type Simulated, simulate } from "./world.js";

let good: Simulated;
let attacked: Simulated;
let code: Code;

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), "ratls-simulated-"));
  good = await simulate(directory);
  attacked = await simulate(directory, "relay");
  const roots = { ca: [good.ca, attacked.ca], dcap: [good.root, attacked.root] };
  code = await Code.open(good.config, roots);
}, 2 * PATIENCE);

afterAll(async () => {
  await code?.close();
  good?.process.kill();
  attacked?.process.kill();
});

test("the status bar says attested, and that it is simulated", async () => {
  await code.status(/attested.*SIMULATED/);
  await code.page.locator(".codelens-decoration", { hasText: "attested" }).first().waitFor();
});

test("the tree has the provider, its claims and its measurements", async () => {
  await code.page.locator(".pane-header", { hasText: "Attested Providers" }).click();
  const row = (text: string) =>
    code.page.locator(".pane-body .monaco-list-row", { hasText: text }).first();
  await row("simulated").click();
  await row("quote-signature").waitFor();
  await code.screenshot("attested");
});

test("a typo is marked, and its quick fix mends it", async () => {
  code.write(good.config.replace("allowed_tdx_status", "alowed_tdx_status"));
  await code.page.locator(".squiggly-warning").first().waitFor();
  await code.page.locator(".view-line", { hasText: "alowed_tdx_status" }).click();
  await code.page.keyboard.press("Home");
  await code.page.keyboard.press("Control+.");
  const fix = code.page.locator(".action-widget .monaco-list-row", { hasText: "Rename to" });
  await fix.first().waitFor();
  await code.screenshot("quick-fix");
  await fix.first().click();
  await code.page.locator(".view-line", { hasText: /^allowed_tdx_status/ }).waitFor();
  await code.page.keyboard.press("Control+S");
  await expect.poll(() => readFileSync(code.config, "utf8"), { timeout: PATIENCE }).toBe(good.config);
});

test("what comes next is offered", async () => {
  await code.page.locator(".view-line", { hasText: "allowed_tdx_status" }).click();
  await code.page.keyboard.press("End");
  await code.page.keyboard.press("Enter");
  await code.page.keyboard.type("gra");
  const offered = code.page.locator(".suggest-widget .monaco-list-row", { hasText: "grace_period" });
  await offered.first().waitFor();
  await code.screenshot("completion");
  await code.page.keyboard.press("Escape");
  await code.run("Revert File");
  await code.status(/attested/);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") {
    await code.screenshot("failed");
  }
});

test("a prompt is streamed into an editor", async () => {
  await code.run("ratls: Send Prompt over Attested TLS");
  const input = code.page.locator(".quick-input-widget input");
  await code.page.locator(".quick-input-widget", { hasText: "Prompt for simulated" }).waitFor();
  await input.fill("What is a trust domain?");
  await code.page.keyboard.press("Enter");
  await code.page.locator(".view-line", { hasText: "Hello from a simulated trust domain" }).waitFor();
  await code.screenshot("prompt");
  await code.run("View: Close Editor");
});

test("an attacked provider turns it to refused, with the reason", async () => {
  code.write(attacked.config);
  await code.status(/refused/);
  await code.page.locator(".squiggly-error").first().waitFor();
  await code.page.locator(".codelens-decoration", { hasText: "refused" }).first().waitFor();
  await code.run("Preferences: Toggle between Light/Dark Themes");
  await code.page.locator(".monaco-workbench.vs-dark").waitFor();
  const bar = code.page.locator(".part.statusbar");
  const color = () => bar.evaluate((part) => getComputedStyle(part).backgroundColor);
  await expect.poll(color, { timeout: PATIENCE }).toMatch(/\((\d|[1-5]\d), /);
  await code.screenshot("refused");
});

test("back at the good one it is attested again", async () => {
  code.write(good.config);
  await code.status(/attested/);
});
