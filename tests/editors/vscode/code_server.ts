/** VS Code's server side: code-server with the extension installed, in a home of its own. */

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
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CODE_SERVER, KEY, RATLS, SERVER } from "./places.js";
import type { Simulated } from "./simulated.js";
import { until } from "./until.js";

const SETTINGS = {
  "chat.agentHost.enabled": false,
  "chat.disableAIFeatures": true,
  "editor.minimap.enabled": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "files.autoSave": "off",
  "remote.autoForwardPorts": false,
  "security.workspace.trust.startupPrompt": "never",
  "window.autoDetectColorScheme": false,
  "workbench.colorTheme": "Default Light Modern",
  "workbench.reduceMotion": "on",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

/** How a VS Code differs from the usual one. */
export interface Variant {
  trusted?: boolean;
  /** What the user sets beside the usual. */
  settings?: object;
  /** What the folder sets: its own settings.json. */
  folder?: object;
  /** Whether it is told of a language server. */
  server?: boolean;
  /** The PATH, if another one than ours. */
  path?: string;
  extensions?: string[];
}

export class CodeServer {
  private constructor(
    readonly url: string,
    readonly config: string,
    private readonly home: string,
    private readonly process: ChildProcess,
  ) {}

  /** Open the folder of a Codex config with `text`, trusting the roots of `providers`. */
  static async start(
    text: string,
    providers: readonly Simulated[],
    { trusted = true, server = true, settings, folder: own, path, extensions = [] }: Variant,
  ): Promise<CodeServer> {
    const home = realpathSync(mkdtempSync(join(tmpdir(), "ratls-code-")));
    const folder = join(home, ".codex");
    const config = join(folder, "config.toml");
    mkdirSync(folder);
    writeFileSync(config, text);
    const ca = join(home, "ca.pem");
    writeFileSync(ca, providers.map((each) => readFileSync(each.ca, "utf8")).join("\n"));
    if (own) {
      write(join(folder, ".vscode"), own);
    }
    configure(home, {
      ...SETTINGS,
      ...(server && { "ratls.server.path": SERVER }),
      "ratls.tls.caFile": ca,
      "ratls.unsafeRootCa": providers.map(({ root }) => root),
      ...settings,
    });
    const env = {
      ...process.env,
      HOME: home,
      // Relative to nothing that a window knows of: the server has to go by the home, too.
      CODEX_HOME: "elsewhere",
      [KEY]: "simulated",
    };
    if (path !== undefined) {
      // VS Code takes the environment that the user's shell has.
      writeFileSync(join(home, ".profile"), `export PATH=${path}\n`);
    }
    install(home, env, [RATLS, ...extensions]);
    const flags = [
      ...["--auth", "none", "--bind-addr", "127.0.0.1:0"],
      ...["--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"],
      ...["--reconnection-grace-time", "3"],
      ...(trusted ? ["--disable-workspace-trust"] : []),
    ];
    const child = spawn(process.execPath, [CODE_SERVER, ...places(home), ...flags], {
      env,
      detached: true,
    });
    const listening = /listening on (http:\/\/127\.0\.0\.1:\d+)/;
    const [, origin] = listening.exec(await until(child, listening)) ?? [];
    const url = `${origin}/?folder=${encodeURIComponent(folder)}`;
    return new CodeServer(url, config, home, child);
  }

  /** The programs in the extension's own environments. */
  get programs(): string[] {
    const storage = join(this.home, "data/User/globalStorage/ratls.ratls");
    return readdirSync(storage).map((each) => join(storage, each, "bin/ratls-ls"));
  }

  /** The process ids of the language servers that this VS Code runs. */
  get languageServers(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const ours = readFileSync(`/proc/${pid}/environ`, "utf8").includes(`HOME=${this.home}\0`);
          return ours && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("ratls-ls\0--stdio");
        } catch {
          return false; // it just ended
        }
      })
      .map(Number);
  }

  stop(): void {
    if (this.process.pid) {
      process.kill(-this.process.pid, "SIGKILL");
    }
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}

function configure(home: string, settings: object): void {
  for (const place of ["User", "Machine"]) {
    write(join(home, "data", place), settings);
  }
}

function write(directory: string, settings: object): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "settings.json"), JSON.stringify(settings));
}

function install(home: string, env: NodeJS.ProcessEnv, files: readonly string[]): void {
  const flags = files.flatMap((file) => ["--install-extension", file]);
  const { status, stderr } = spawnSync(process.execPath, [CODE_SERVER, ...places(home), ...flags], {
    env,
  });
  if (status !== 0) {
    throw new Error(`the extension cannot be installed: ${stderr}`);
  }
}

function places(home: string): string[] {
  return [
    ...["--config", join(home, "code-server.yaml")],
    ...["--user-data-dir", join(home, "data")],
    ...["--extensions-dir", join(home, "extensions")],
  ];
}
