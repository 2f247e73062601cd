/** By the keyboard alone, and by what a screen reader is told. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Code } from "./code.js";
import { PATIENCE, ROOT } from "./places.js";
import { type Simulated, simulate } from "./simulated.js";

let good: Simulated;
let attacked: Simulated;
let code: Code;

beforeAll(async () => {
  good = await simulate("vllm-tee");
  attacked = await simulate("staging-tee", "relay");
  code = await Code.open(`${good.config}\n${attacked.tables}`, [good, attacked]);
  await code.attested();
  await code.lens("✗ rejected").waitFor();
}, 4 * PATIENCE);

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") {
    await code.screenshot("failed");
  }
});

afterAll(async () => {
  await code?.close();
  good?.stop();
  attacked?.stop();
});

test("the palette has every command that makes sense now, and no other", async () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, "editor/vscode/package.json"), "utf8"));
  const senseless = ["Copy", "Remove Stored API Key", "Set Up Language Server"];
  const expected = manifest.contributes.commands
    .map(({ title }: { title: string }) => title)
    .filter((title: string) => !senseless.includes(title))
    .map((title: string) => `ratls: ${title}`);
  const rows = await code.palette("ratls: ");
  await rows.filter({ hasText: "ratls: Show Output" }).waitFor();
  await code.screenshot("palette");
  const offered = await rows.locator(".label-name").allTextContents();
  expect(offered.filter((title) => title.startsWith("ratls: ")).sort()).toEqual(expected.sort());
  await code.page.keyboard.press("Escape");
});

test("the tree is walked, and each row says what it is", async () => {
  // The first time VS Code only opens the view.
  await code.type("Explorer: Focus on Attested Providers View");
  await code.row("vllm-tee").waitFor();
  await code.tidy(400);
  await code.type("Explorer: Focus on Attested Providers View");
  await code.press("Home");
  await heard(
    /^Provider vllm-tee: attested \(SIMULATED\)\. SIMULATED Intel TDX, TCB UpToDate, bound by tls-exporter/,
  );
  await unfold("vllm-tee");
  await code.row("tls").waitFor();
  await code.press("ArrowDown");
  await heard(/^Claim tls: passed, TLS 1\.3, certificate and host name, got TLSv1\.3/);
  for (let claim = 1; claim < 10; claim += 1) {
    await code.press("ArrowDown");
    await heard(/^Claim [a-z-]+: passed, /);
  }
  await unfold("measurements");
  await code.row("mrtd").waitFor();
  await code.press("ArrowDown");
  await heard(/^Measurement mrtd: begins with [0-9a-f]{16}$/);
  await menu("Copy");
  const copied = () => code.page.evaluate(() => navigator.clipboard.readText());
  await expect.poll(copied).toMatch(/^[0-9a-f]{96}$/);
  await code.press("End");
  await heard(/^Provider staging-tee: rejected \(SIMULATED\)\. freshness: the quote was not made/);
});

test("what can be done with a provider is in its menu", async () => {
  await code.press("Home");
  await heard(/^Provider vllm-tee/);
  expect(await menu("Show Attestation Report")).toEqual([
    "Attest Provider",
    "Pin Measurements",
    "Send Prompt over Attested TLS",
    "Show Attestation Report",
    "Export Attestation Report as JSON",
    "Copy",
  ]);
  await code.line("Attestation report").waitFor();
  await code.press("Control+F4");
});

test("the status bar is reached, says the provider's status and offers actions", async () => {
  await code.type("Focus Status Bar");
  while (!(await told()).startsWith("Provider")) {
    await code.press("ArrowRight");
  }
  await heard(/^Provider vllm-tee: attested \(SIMULATED\)\. SIMULATED Intel TDX, TCB UpToDate/);
  await code.press("Enter");
  await code.question("vllm-tee: attested (SIMULATED)");
  await code.screenshot("actions");
  await code.page.keyboard.type("Show output");
  await code.press("Enter");
  const channel = code.page.getByLabel("Switch Output").first();
  await expect.poll(() => channel.inputValue()).toBe("ratls");
  await code.page.locator(".part.panel:focus-within").waitFor();
  await code.type("View: Hide Panel");
});

test("a key goes from the secret storage into the server's environment, and out again", async () => {
  const environment = (): string => {
    const [server] = code.languageServers;
    return server ? readFileSync(`/proc/${server}/environ`, "utf8") : "";
  };
  await code.type("ratls: Store API Key");
  await code.answer("Store an API key", "PATH");
  await (await code.question("Store an API key")).getByText("cannot hold a key").waitFor();
  await code.answer("Store an API key", "MY_PROVIDER_KEY");
  await code.answer("API key for MY_PROVIDER_KEY", "a secret");
  await expect.poll(environment, { timeout: PATIENCE }).toContain("\0MY_PROVIDER_KEY=a secret\0");
  await code.type("ratls: Remove Stored API Key");
  await code.question("Remove which key?");
  await code.press("Enter");
  const isGone = () => environment() !== "" && !environment().includes("a secret");
  await expect.poll(isGone, { timeout: PATIENCE }).toBe(true);
  await code.attested();
});

/** Choose from the menu of the row that has the focus; all that it offers. */
async function menu(title: string): Promise<string[]> {
  await code.press("Shift+F10");
  const labels = code.page.locator(".monaco-menu .action-label:not(.separator)");
  await labels.first().waitFor();
  await code.screenshot("menu");
  const offered = await labels.allTextContents();
  await code.press(...offered.slice(0, offered.indexOf(title) + 1).map(() => "ArrowDown"), "Enter");
  return offered;
}

/** Wait until a screen reader is told this of what has the focus. */
async function heard(expected: RegExp): Promise<void> {
  await expect.poll(told, { timeout: PATIENCE }).toMatch(expected);
}

async function told(): Promise<string> {
  return await code.page.evaluate(() => {
    const active = document.activeElement;
    const descendant = active?.getAttribute("aria-activedescendant");
    const focused = descendant ? document.getElementById(descendant) : active;
    return focused?.getAttribute("aria-label") ?? "";
  });
}

/** Unfold the row that has the focus. VS Code loses the key while it draws the tree anew. */
async function unfold(row: string): Promise<void> {
  const isUnfolded = async () => {
    if ((await code.row(row).getAttribute("aria-expanded")) === "true") {
      return true;
    }
    await code.press("ArrowRight");
    return false;
  };
  await expect.poll(isUnfolded, { interval: 1000, timeout: PATIENCE }).toBe(true);
}
