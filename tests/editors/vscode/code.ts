/** A real VS Code in headless Chromium, driven as its user would. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { CodeServer, type Variant } from "./code_server.js";
import { ARTIFACTS, PATIENCE } from "./places.js";
import type { Simulated } from "./simulated.js";

const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** As it is said of what is attested, and of nothing that is not. */
export const ATTESTED = /^(?!.*not attested).*attested/;

/** The size of the window, in CSS pixels, and how many real ones each of these has. */
interface Window {
  width: number;
  height: number;
  scale: number;
}

const WINDOW: Window = { width: 1280, height: 800, scale: 1 };

export class Code {
  private constructor(
    readonly page: Page,
    private readonly browser: Browser,
    private readonly server: CodeServer,
  ) {}

  /** Open a Codex config with `text`, trusting the roots of `providers`. */
  static async open(
    text: string,
    providers: readonly Simulated[],
    variant: Variant = {},
    { width, height, scale }: Window = WINDOW,
  ): Promise<Code> {
    const server = await CodeServer.start(text, providers, variant);
    const browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: CHROMIUM_FLAGS,
    });
    const page = await browser.newPage({
      viewport: { width, height },
      deviceScaleFactor: scale,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    page.setDefaultTimeout(PATIENCE);
    await page.goto(server.url);
    await page.waitForSelector(".monaco-workbench");
    const code = new Code(page, browser, server);
    await code.file("config.toml");
    return code;
  }

  get config(): string {
    return this.server.config;
  }

  /** The language servers that the extension has set up. */
  get programs(): string[] {
    return this.server.programs;
  }

  get languageServers(): number[] {
    return this.server.languageServers;
  }

  /** Open a file of the folder. */
  async file(name: string): Promise<void> {
    const entry = this.page.locator(".explorer-folders-view .monaco-list-row", { hasText: name });
    await entry.first().dblclick();
    await this.page.waitForSelector(".editor-instance .view-lines");
  }

  /** Change the config on disk, as another program would; VS Code takes it over. */
  write(text: string): void {
    writeFileSync(this.config, text);
  }

  /** The line of the editor with this text. */
  line(text: string | RegExp): Locator {
    return this.page.locator(".view-line", { hasText: text }).first();
  }

  /** What stands above a line. */
  lens(text: string): Locator {
    return this.page.locator(".codelens-decoration", { hasText: text }).first();
  }

  /** A row of the tree "Attested Providers". */
  row(text: string | RegExp): Locator {
    return this.page.locator(".pane-body .monaco-list-row", { hasText: text }).first();
  }

  /** A message to the user. */
  message(text: string): Locator {
    return this.page.locator(".notification-list-item", { hasText: text }).first();
  }

  /** The item in the status bar. */
  get item(): Locator {
    return this.page.locator("#ratls\\.ratls\\.ratls\\.status");
  }

  /** Wait until the status bar says this of the provider. */
  async status(text: RegExp, timeout = PATIENCE): Promise<void> {
    await this.item.filter({ hasText: text }).waitFor({ timeout });
  }

  /** Wait until the status bar says that the provider is attested. */
  async attested(timeout = PATIENCE): Promise<void> {
    await this.status(ATTESTED, timeout);
  }

  /** What the user is asked, or offered to pick from, under this title. */
  async question(title: string): Promise<Locator> {
    const widget = this.page.locator(".quick-input-widget", { hasText: title });
    await widget.waitFor();
    return widget;
  }

  /** Answer the question with this title. */
  async answer(title: string, text: string): Promise<void> {
    await (await this.question(title)).locator("input").fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** What the command palette offers for `text`. */
  async palette(text: string): Promise<Locator> {
    await this.page.keyboard.press("F1");
    await this.page.locator(".quick-input-widget input").fill(`>${text}`);
    return this.page.locator(".quick-input-list .monaco-list-row");
  }

  /** Run a command by its title. */
  async run(title: string): Promise<void> {
    await (await this.palette(title)).filter({ hasText: title }).first().click();
  }

  /** Run a command by its title, by the keyboard alone. */
  async type(title: string): Promise<void> {
    await (await this.palette(title)).filter({ hasText: title }).first().waitFor();
    await this.press("Enter");
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) {
      await this.page.keyboard.press(key);
    }
  }

  /** Give the tree "Attested Providers" room in the Explorer: so many pixels for the side bar. */
  async tidy(width: number): Promise<void> {
    for (const name of ["Outline", "Timeline"]) {
      const header = this.page.locator(".pane-header", { hasText: name });
      await header.click({ button: "right" });
      await this.page.locator(".monaco-menu .action-item", { hasText: `Hide '${name}'` }).hover();
      await this.page.keyboard.press("Enter");
      await header.waitFor({ state: "detached" });
    }
    const sidebar = await box(this.page.locator(".part.sidebar"));
    await this.drag({ x: sidebar.x + sidebar.width, y: 300 }, { x: sidebar.x + width, y: 300 });
    const header = await box(this.page.locator(".pane-header", { hasText: "Attested Providers" }));
    await this.drag({ x: 200, y: header.y }, { x: 200, y: 180 });
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(ARTIFACTS, { recursive: true });
    const path = join(ARTIFACTS, `vscode-${name}.png`);
    await this.page.screenshot({ path, animations: "disabled" });
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.stop();
  }

  private async drag(from: Point, to: Point): Promise<void> {
    await this.page.mouse.move(from.x, from.y);
    await this.page.mouse.down();
    await this.page.mouse.move(to.x, to.y, { steps: 4 });
    await this.page.mouse.up();
  }
}

interface Point {
  x: number;
  y: number;
}

async function box(locator: Locator): Promise<Point & { width: number }> {
  const found = await locator.boundingBox();
  if (!found) {
    throw new Error("it is not on the page");
  }
  return found;
}
