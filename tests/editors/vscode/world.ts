/** A real VS Code (code-server) in headless Chromium, and simulated providers for it to talk to. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";

const HERE = import.meta.dirname;
export const ROOT = join(HERE, "../../..");
const ARTIFACTS = join(ROOT, "artifacts");
const SERVER = join(ROOT, ".venv/bin/ratls-ls");
const CODE = join(HERE, "node_modules/code-server/out/node/entry.js");
const RATLS = join(ROOT, "editor/vscode/out/ratls.vsix");
export const EXAMPLE = join(ROOT, "editor/vscode/out/example.vsix");
export const PATIENCE = 15_000;
// Without a key the config would be warned of: Codex falls back to another one.
const KEY = "SIMULATED_API_KEY";

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

export interface Simulated {
  config: string;
  ca: string;
  root: string;
  process: ChildProcess;
}

/** Start `ratls-ls simulate`; resolves when it serves. */
export async function simulate(directory: string, ...faults: string[]): Promise<Simulated> {
  const file = join(directory, `simulated-${faults.join("-")}.toml`);
  const flags = faults.flatMap((fault) => ["--fault", fault]);
  const child = spawn(SERVER, ["simulate", "--write-config", file, ...flags]);
  const told = await until(child, /serving/);
  const said = (name: string) => new RegExp(`^${name} +(.+)$`, "m").exec(told)?.[1] ?? "";
  const table = readFileSync(file, "utf8").replace(/^base_url.*$/m, `$&\nenv_key = "${KEY}"`);
  const config = `model_provider = "simulated"\n\n${table}`;
  return { config, ca: said("TLS CA"), root: said("DCAP root"), process: child };
}

/** All that a process wrote by the time that `expected` is in it. */
function until(child: ChildProcess, expected: RegExp): Promise<string> {
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

/** Stands before a server and counts who comes. */
export class Gate {
  connections = 0;
  private readonly server: Server;

  private constructor(port: number) {
    this.server = createServer((socket) => {
      this.connections += 1;
      const behind = connect(port, "127.0.0.1");
      for (const [one, other] of [
        [socket, behind],
        [behind, socket],
      ] as const) {
        one.pipe(other);
        one.on("error", () => other.destroy());
        one.on("close", () => other.destroy());
      }
    });
  }

  /** Before each server that the config names; the config with the gates in their place. */
  static async before(config: string): Promise<{ config: string; gates: Gate[] }> {
    const gates: Gate[] = [];
    let gated = config;
    for (const [, host, port] of config.matchAll(/\/\/(localhost|127\.0\.0\.1):(\d+)/g)) {
      const gate = new Gate(Number(port));
      await new Promise<void>((resolve) => gate.server.listen(0, "127.0.0.1", resolve));
      const own = (gate.server.address() as AddressInfo).port;
      gated = gated.replace(`//${host}:${port}`, `//${host}:${own}`);
      gates.push(gate);
    }
    return { config: gated, gates };
  }

  close(): void {
    this.server.close();
  }
}

/** How a VS Code differs from the usual one. `server`: whether it is told of one. */
interface Variant {
  trusted?: boolean;
  server?: boolean;
  extensions?: string[];
}

export class Code {
  private constructor(
    readonly page: Page,
    readonly config: string,
    private readonly browser: Browser,
    private readonly process: ChildProcess,
    private readonly directory: string,
  ) {}

  /** Open the folder of a config with `text` in a new VS Code with the extension installed. */
  static async open(
    text: string,
    roots: { ca: string[]; dcap: string[] },
    { trusted = true, server = true, extensions = [] }: Variant = {},
  ): Promise<Code> {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), "ratls-code-")));
    const config = join(directory, ".codex", "config.toml");
    mkdirSync(join(directory, ".codex"));
    writeFileSync(config, text);
    const ca = join(directory, "ca.pem");
    writeFileSync(ca, roots.ca.map((file) => readFileSync(file, "utf8")).join("\n"));
    const settings = {
      "files.autoSave": "off",
      "chat.disableAIFeatures": true,
      "chat.agentHost.enabled": false,
      "extensions.autoCheckUpdates": false,
      "extensions.ignoreRecommendations": true,
      "workbench.startupEditor": "none",
      "workbench.tips.enabled": false,
      "workbench.reduceMotion": "on",
      "remote.autoForwardPorts": false,
      "workbench.secondarySideBar.defaultVisibility": "hidden",
      "editor.minimap.enabled": false,
      "security.workspace.trust.startupPrompt": "never",
      "workbench.colorTheme": "Default Light Modern",
      "window.autoDetectColorScheme": false,
      ...(server && { "ratls.server.path": SERVER }),
      "ratls.tls.caFile": ca,
      "ratls.unsafeRootCa": roots.dcap,
    };
    for (const place of ["User", "Machine"]) {
      mkdirSync(join(directory, "data", place), { recursive: true });
      writeFileSync(join(directory, "data", place, "settings.json"), JSON.stringify(settings));
    }
    const own = [
      "--config",
      join(directory, "code-server.yaml"),
      "--user-data-dir",
      join(directory, "data"),
      "--extensions-dir",
      join(directory, "extensions"),
    ];
    const env = {
      ...process.env,
      HOME: directory,
      CODEX_HOME: join(directory, ".codex"),
      [KEY]: "simulated",
    };
    const install = [RATLS, ...extensions].flatMap((file) => ["--install-extension", file]);
    const installed = spawnSync(process.execPath, [CODE, ...own, ...install], { env });
    if (installed.status !== 0) {
      throw new Error(`the extension cannot be installed: ${installed.stderr}`);
    }
    const port = await freePort();
    const child = spawn(
      process.execPath,
      [
        CODE,
        ...own,
        "--auth",
        "none",
        "--bind-addr",
        `127.0.0.1:${port}`,
        "--disable-telemetry",
        "--disable-update-check",
        "--disable-getting-started-override",
        "--reconnection-grace-time",
        "3",
        ...(trusted ? ["--disable-workspace-trust"] : []),
      ],
      { env, detached: true },
    );
    await until(child, /listening on/);
    const browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: CHROMIUM_FLAGS,
    });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(PATIENCE);
    await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(join(directory, ".codex"))}`);
    await page.waitForSelector(".monaco-workbench");
    const code = new Code(page, config, browser, child, directory);
    await code.file("config.toml");
    return code;
  }

  /** Open a file of the folder. */
  async file(name: string): Promise<void> {
    const entry = this.page.locator(".explorer-folders-view .monaco-list-row", { hasText: name });
    await entry.first().dblclick();
    await this.page.waitForSelector(".editor-instance .view-lines");
  }

  /** The line of the editor with this text. */
  line(text: string | RegExp): Locator {
    return this.page.locator(".view-line", { hasText: text }).first();
  }

  /** A row of the tree "Attested Providers". */
  row(text: string): Locator {
    return this.page.locator(".pane-body .monaco-list-row", { hasText: text }).first();
  }

  /** A message to the user. */
  message(text: string): Locator {
    return this.page.locator(".notification-list-item", { hasText: text }).first();
  }

  /** Answer the question with this title. */
  async answer(title: string, text: string): Promise<void> {
    await this.page.locator(".quick-input-widget", { hasText: title }).waitFor();
    await this.page.locator(".quick-input-widget input").fill(text);
    await this.page.keyboard.press("Enter");
  }

  /** The process ids of the language servers that this VS Code runs. */
  get servers(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const ours = readFileSync(`/proc/${pid}/environ`, "utf8").includes(`HOME=${this.directory}\0`);
          return ours && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("ratls-ls\0--stdio");
        } catch {
          return false; // it just ended
        }
      })
      .map(Number);
  }

  /** Run a command by its title. */
  async run(title: string): Promise<void> {
    await this.page.keyboard.press("F1");
    const input = this.page.locator(".quick-input-widget input");
    await input.fill(`>${title}`);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
  }

  /** Wait until the status bar says this of the provider. */
  async status(text: RegExp, timeout = PATIENCE): Promise<void> {
    const item = this.page.locator("#ratls\\.ratls\\.ratls\\.status", { hasText: text });
    await item.waitFor({ timeout });
  }

  /** Give the tree "Attested Providers" room in the Explorer. */
  async tidy(): Promise<void> {
    for (const name of ["Outline", "Timeline"]) {
      const header = this.page.locator(".pane-header", { hasText: name });
      await header.click({ button: "right" });
      await this.page.locator(".monaco-menu .action-item", { hasText: `Hide '${name}'` }).hover();
      await this.page.keyboard.press("Enter");
      await header.waitFor({ state: "detached" });
    }
    const sidebar = await box(this.page.locator(".part.sidebar"));
    await this.drag({ x: sidebar.x + sidebar.width, y: 300 }, { x: 445, y: 300 });
    const header = await box(this.page.locator(".pane-header", { hasText: "Attested Providers" }));
    await this.drag({ x: 200, y: header.y }, { x: 200, y: 180 });
  }

  private async drag(from: Point, to: Point): Promise<void> {
    await this.page.mouse.move(from.x, from.y);
    await this.page.mouse.down();
    await this.page.mouse.move(to.x, to.y, { steps: 4 });
    await this.page.mouse.up();
  }

  /** Change the file on disk, as another program would; VS Code takes it over. */
  write(text: string): void {
    writeFileSync(this.config, text);
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(ARTIFACTS, { recursive: true });
    await this.page.screenshot({ path: join(ARTIFACTS, `vscode-${name}.png`) });
  }

  async close(): Promise<void> {
    await this.browser.close();
    if (this.process.pid) {
      process.kill(-this.process.pid, "SIGKILL");
    }
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
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

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
