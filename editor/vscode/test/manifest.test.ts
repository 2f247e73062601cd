import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMAND_IDS } from "../src/command_ids.js";
import { CLEAR_CACHE_COMMAND } from "../src/methods.js";

const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

test("the manifest declares the commands that there are", () => {
  const declared = manifest.contributes.commands.map((each: { command: string }) => each.command);
  expect(declared.sort()).toEqual([...COMMAND_IDS, CLEAR_CACHE_COMMAND].sort());
});

test("no setting that names a program, a root or an endpoint can come from a workspace", () => {
  for (const [name, setting] of Object.entries<{ scope: string }>(
    manifest.contributes.configuration.properties,
  )) {
    expect(setting.scope, name).toBe("machine");
  }
  expect(manifest.capabilities.untrustedWorkspaces.supported).toBe("limited");
});
