/** The extension as its user sees it, from the first squiggle to another extension's prompt. */

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ATTESTED, Code } from "./code.js";
import { Gate } from "./gate.js";
import { EXAMPLE, PATIENCE } from "./places.js";
import { type Simulated, simulate } from "./simulated.js";

let good: Simulated;
let attacked: Simulated;
let gates: Gate[];
let config: string;
let code: Code;

beforeAll(async () => {
  good = await simulate("vllm-tee");
  attacked = await simulate("vllm-tee", "relay");
  ({ config, gates } = await Gate.before(good.config));
  code = await Code.open(config, [good, attacked], { extensions: [EXAMPLE] });
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
  for (const gate of gates ?? []) {
    gate.close();
  }
});

test("the status bar says attested, and that it is simulated", async () => {
  await code.status(/^\s*vllm-tee: attested.*SIMULATED/);
  await code.lens("✓ attested").waitFor();
});

test("its tooltip has the claims and the version", async () => {
  await tooltip(/channel.binding.*made for this very connection.*ratls-ls \d/s, "tooltip");
});

test("the tree has the provider, its claims and its measurements", async () => {
  await code.page.locator(".pane-header", { hasText: "Attested Providers" }).click();
  await code.tidy(400);
  await code.row("vllm-tee").click();
  await code.row("quote-signature").waitFor();
  await code.row("measurements").click();
  await code.row("mrtd").waitFor();
  await code.screenshot("attested");
});

test("a typo is marked, what holds instead is shown, and a quick fix mends it", async () => {
  code.write(config.replace("allowed_tdx_status", "alowed_tdx_status"));
  await code.page.locator(".squiggly-error").first().waitFor();
  await code.line('allowed_tdx_status = ["UpToDate"]').waitFor();
  await code.line("alowed_tdx_status").click();
  await code.page.keyboard.press("Home");
  await code.page.keyboard.press("Control+.");
  const fix = code.page.locator(".action-widget .monaco-list-row", { hasText: "Rename to" });
  await fix.first().waitFor();
  await code.screenshot("quick-fix");
  await fix.first().click();
  await code.line(/^allowed_tdx_status/).waitFor();
  await code.page.keyboard.press("Control+S");
  await expect.poll(onDisk, { timeout: PATIENCE }).toBe(config);
});

test("a key is explained where it stands", async () => {
  await code.line("tee_type").hover({ position: { x: 20, y: 8 } });
  await code.page.locator(".monaco-hover", { hasText: "ratls_policy.tee_type" }).first().waitFor();
  await code.screenshot("hover");
  await code.press("Escape");
});

test("a provider is renamed wherever it is named", async () => {
  await code.line("[model_providers.vllm-tee]").click();
  await code.press("End", "ArrowLeft", "ArrowLeft", "F2");
  await code.page.locator(".rename-box input").fill("renamed");
  await code.press("Enter");
  for (const line of ['model_provider = "renamed"', "[model_providers.renamed.ratls_policy]"]) {
    await code.line(line).waitFor();
  }
  await code.run("Revert File");
  await code.attested();
});

test("it is not attested once Codex uses another provider by default", async () => {
  code.write(config.replace(/^model_provider = .*\n/m, ""));
  await code.status(/^\s*openai: not attested/);
  await code.lens("✓ attested").waitFor();
  await code.screenshot("other-default");
  await tooltip(/Codex uses it by default, over plain TLS/, "tooltip-other-default");
  code.write(config);
  await code.status(/^\s*vllm-tee: attested/);
});

test("the actions are those that there is a provider for", async () => {
  const offered = async (screenshot: string) => {
    await code.item.click();
    const rows = (await code.question("openai: not attested")).locator(".monaco-list-row");
    await rows.filter({ hasText: "New attested provider" }).waitFor();
    const titles = await rows.locator(".label-name").allTextContents();
    await code.screenshot(screenshot);
    await code.press("Escape");
    return titles.map((title) => title.trim());
  };
  code.write('model_provider = "openai"\n');
  await code.row("vllm-tee").waitFor({ state: "detached" });
  await code.status(/^\s*openai: not attested/);
  expect(await offered("actions-none")).not.toContain("Attest now");
  code.write(config.replace(/^model_provider = .*/m, 'model_provider = "openai"'));
  await code.row("vllm-tee").filter({ hasText: ATTESTED }).waitFor();
  await code.status(/^\s*openai: not attested/);
  expect(await offered("actions")).toContain("Attest now");
  code.write(config);
  await code.attested();
});

test("of two providers of one name the tree says whose they are, while both are open", async () => {
  writeFileSync(join(dirname(code.config), "second.toml"), config);
  await code.file("second.toml");
  await code.row(/vllm-tee *attested.* · second\.toml/).waitFor();
  await code.screenshot("two-configs");
  await code.run("View: Close Editor");
  await code.row(/vllm-tee.*· config\.toml/).waitFor({ state: "detached" });
  await code.row("vllm-tee").filter({ hasText: ATTESTED }).waitFor();
});

test("a new provider is a snippet in the config", async () => {
  await code.run("ratls: New Attested Provider");
  await code.line("[model_providers.my-provider.ratls_policy]").waitFor();
  await code.row("my-provider").filter({ hasText: "not attested" }).waitFor();
  await code.screenshot("new-provider");
  await code.press("Escape");
  await code.run("Revert File");
  await code.row("my-provider").waitFor({ state: "detached" });
  await code.attested();
});

test("what comes next is offered", async () => {
  await code.line("allowed_tdx_status").click();
  await code.page.keyboard.press("End");
  await code.page.keyboard.press("Enter");
  await code.page.keyboard.type("gra");
  const offered = code.page.locator(".suggest-widget .monaco-list-row", {
    hasText: "grace_period",
  });
  await offered.first().waitFor();
  await code.screenshot("completion");
  await code.page.keyboard.press("Escape");
  await code.run("Revert File");
  await code.attested();
});

test("a value is completed between the quotes that were closed for it", async () => {
  await code.line("allowed_tdx_status").click();
  await code.press("End", "Enter");
  await code.page.keyboard.type('pccs_url = "https://api');
  const offered = code.page.locator(".suggest-widget .monaco-list-row", {
    hasText: "api.trustedservices.intel.com",
  });
  await offered.first().waitFor();
  await code.press("Tab");
  await code
    .line(/^pccs_url\s=\s"https:\/\/api\.trustedservices\.intel\.com\/tdx\/certification\/v4"$/)
    .waitFor();
  await code.run("Revert File");
  await code.attested();
});

test("an edited policy is judged at once, by the evidence there is", async () => {
  const before = contacts();
  await code.line("compose_hash").click();
  await code.page.keyboard.press("End");
  await code.page.keyboard.press("ArrowLeft");
  await code.page.keyboard.press("Backspace");
  await code.page.keyboard.type(config.match(/compose_hash = ".*(.)"/)?.[1] === "0" ? "1" : "0");
  await code.status(/rejected/);
  await code.row("vllm-tee").filter({ hasText: "rejected" }).waitFor();
  await code.lens("✗ rejected").waitFor();
  await code.screenshot("what-if");
  expect(contacts()).toBe(before);
  await code.run("Revert File");
  await code.attested();
  await code.row("vllm-tee").filter({ hasText: ATTESTED }).waitFor();
});

test("what was verified is pinned, for the user to save", async () => {
  const unpinned = config.replace(/^compose_hash.*\n/m, "");
  code.write(unpinned);
  await code.line("compose_hash").waitFor({ state: "detached" });
  await code.attested();
  await code.run("ratls: Pin Measurements");
  await code.line("compose_hash").waitFor();
  expect(onDisk()).toBe(unpinned);
  await code.lens("✓ attested").waitFor();
  await code.screenshot("pinned");
  await code.page.keyboard.press("Control+S");
  const pin = /^compose_hash = "\w+"$/m;
  await expect.poll(() => onDisk().match(pin)?.[0]).toBe(config.match(pin)?.[0]);
  await code.attested();
});

test("no name in a config becomes an icon, or a link that runs a command", async () => {
  const name = "[$(pass)](command:workbench.action.closeAllEditors)";
  const named = config
    .replace(/^model_provider = .*/m, `model_provider = "${name}"`)
    .replaceAll("model_providers.vllm-tee", `model_providers."${name}"`);
  code.write(named);
  await code.status(/\[\$ ?\(pass\)\].*: attested/);
  await code.run("ratls: Pin Measurements");
  const message = code.message("is pinned already");
  await message.waitFor();
  await code.screenshot("no-link");
  const links = message.locator(".notification-list-item-message a");
  expect(await links.allTextContents()).toEqual([]);
  code.write(config);
  await code.status(/^\s*vllm-tee: attested/);
});

test("a report says it all", async () => {
  await code.run("ratls: Show Attestation Report");
  await code.line("Attestation report").waitFor();
  await code.line("channel-binding").waitFor();
  await code.screenshot("report");
  await code.run("View: Close Editor");
});

test("a report is exported as JSON", async () => {
  await code.run("ratls: Export Attestation Report as JSON");
  await code.line('"verdict": "affirmed"').waitFor();
  await code.run("View: Revert and Close Editor");
});

test("a prompt is streamed into an editor", async () => {
  await code.run("ratls: Send Prompt over Attested TLS");
  await code.answer("Prompt for vllm-tee", "What is a trust domain?");
  await code.line("Hello from a simulated").waitFor();
  await code.screenshot("prompt");
  await code.run("View: Close Editor");
});

test("a selection is sent when the user says so, and cancelling closes the connection", async () => {
  await code.line("tee_type").click();
  await code.page.keyboard.press("Home");
  await code.page.keyboard.press("Shift+End");
  await code.run("ratls: Send Prompt over Attested TLS");
  await (await code.question("Prompt for vllm-tee")).getByText("tee_type").waitFor();
  for (const gate of gates) {
    gate.hold();
  }
  await code.screenshot("selection");
  await code.page.keyboard.press("Enter");
  await code.line("> tee_type").waitFor();
  const asking = code.message("Asking vllm-tee over attested TLS");
  await asking.locator(".monaco-button", { hasText: "Cancel" }).click();
  await code.line("Cancelled; the connection is closed.").waitFor();
  await expect.poll(() => gates[0]?.connected).toBe(0);
  for (const gate of gates) {
    gate.release();
  }
  await code.run("View: Close Editor");
});

test("closing an answer closes its connection, and giving it another language does not", async () => {
  await code.line("wire_api").click();
  await code.run("ratls: Send Prompt over Attested TLS");
  await code.question("Prompt for vllm-tee");
  for (const gate of gates) {
    gate.hold();
  }
  await code.answer("Prompt for vllm-tee", "Are you there?");
  await code.line("> Are you there?").click();
  await code.message("Asking vllm-tee over attested TLS").waitFor();
  await code.run("Change Language Mode");
  await code.page.getByPlaceholder("Select Language Mode").fill("Plain Text");
  await code.press("Enter");
  await code.page.locator(".statusbar-item", { hasText: "Plain Text" }).waitFor();
  await code.screenshot("answer-plain");
  expect(gates[0]?.connected).toBe(1);
  await code.run("View: Close Editor");
  await expect.poll(() => gates[0]?.connected).toBe(0);
  for (const gate of gates) {
    gate.release();
  }
});

test("another extension's prompt is answered over the attested connection", async () => {
  await code.run("Example: Ask an Attested Model");
  await code.answer("Ask simulated-llm (vllm-tee, attested)", "Who are you?");
  await code.page.locator(".tab.active", { hasText: "Untitled-1" }).waitFor();
  await code.line("Hello from a simulated").waitFor();
  await code.screenshot("example");
  await code.run("View: Revert and Close Editor");
});

test("a server that is killed comes back", async () => {
  const [before] = code.languageServers;
  const contacted = contacts();
  expect(before).toBeDefined();
  process.kill(before ?? 0, "SIGKILL");
  await expect.poll(contacts, { timeout: PATIENCE }).toBeGreaterThan(contacted);
  expect(code.languageServers).not.toContain(before);
  await code.attested();
});

test("an attacked provider turns it to rejected, with the reason", async () => {
  code.write(attacked.config);
  await code.status(/rejected/);
  await code.page.locator(".squiggly-error").first().waitFor();
  await code.lens("✗ rejected").waitFor();
  await code.run("Preferences: Toggle between Light/Dark Themes");
  await code.page.locator(".monaco-workbench.vs-dark").waitFor();
  const bar = code.page.locator(".part.statusbar");
  const color = () => bar.evaluate((part) => getComputedStyle(part).backgroundColor);
  await expect.poll(color, { timeout: PATIENCE }).toMatch(/\((\d|[1-5]\d), /);
  await code.row("vllm-tee").click();
  await code.row("channel-binding").waitFor();
  await code.screenshot("rejected");
  await tooltip(/channel.binding.*not bound to this TLS session/s, "tooltip-rejected");
});

test("a prompt for it is not even asked for", async () => {
  await code.run("ratls: Send Prompt over Attested TLS");
  const message = code.message("attestation rejected");
  await message.waitFor();
  await code.screenshot("no-prompt");
  await message.locator(".monaco-button", { hasText: "Show Report" }).click();
  await code.line("REJECTED").waitFor();
  await code.screenshot("report-rejected");
});

/** Point at the status bar item until its tooltip says this. */
async function tooltip(text: RegExp, screenshot: string): Promise<void> {
  await code.item.hover();
  const shown = code.page.locator(".monaco-hover", { hasText: text });
  await shown.waitFor();
  await code.screenshot(screenshot);
  await code.page.mouse.move(800, 700);
  await shown.waitFor({ state: "detached" });
}

function onDisk(): string {
  return readFileSync(code.config, "utf8");
}

function contacts(): number {
  return gates.reduce((sum, gate) => sum + gate.connections, 0);
}
