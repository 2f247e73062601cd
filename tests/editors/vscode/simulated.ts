/** Simulated providers for a VS Code to talk to. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KEY, SERVER } from "./places.js";
import { until } from "./until.js";

/** `config`: one with this provider alone, the default one. `tables`: what it says of it. */
export interface Simulated {
  config: string;
  tables: string;
  ca: string;
  root: string;
  stop(): void;
}

/** Start `ratls-ls simulate` as the provider `name`; resolves when it serves. */
export async function simulate(name: string, ...faults: string[]): Promise<Simulated> {
  const directory = mkdtempSync(join(tmpdir(), "ratls-simulated-"));
  const file = join(directory, "config.toml");
  const flags = faults.flatMap((fault) => ["--fault", fault]);
  const child = spawn(SERVER, ["simulate", "--write-config", file, ...flags]);
  const told = await until(child, /serving/);
  const said = (what: string) => new RegExp(`^${what} +(.+)$`, "m").exec(told)?.[1] ?? "";
  const tables = readFileSync(file, "utf8")
    .replace(/^#.*\n/gm, "")
    .replace(/^base_url.*$/m, `$&\nenv_key = "${KEY}"`)
    .replaceAll("model_providers.simulated", `model_providers.${name}`);
  const config = `model_provider = "${name}"\n\n${tables}`;
  const stop = () => {
    child.kill();
    rmSync(directory, { recursive: true });
  };
  return { config, tables, ca: said("TLS CA"), root: said("DCAP root"), stop };
}
