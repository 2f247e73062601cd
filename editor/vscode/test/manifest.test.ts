import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMAND_IDS } from "../src/command_ids.js";
import { CLEAR_CACHE_COMMAND } from "../src/methods.js";

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
const manifest = JSON.parse(read("package.json"));

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

test("when clauses look at nothing but what is kept", () => {
  const looked = read("package.json").matchAll(/(?<!config\.)\bratls\.(active|running|has\w+)\b/g);
  const kept = [...read("src/contexts.ts").matchAll(/\bset\(\s*"(\w+)"/g)].map(([, name]) => name);
  expect(new Set([...looked].map(([, name]) => name))).toEqual(new Set(kept));
});

test("what has a button in the tree has a place in its menu, which the keyboard reaches", () => {
  const items: { command: string; group: string }[] =
    manifest.contributes.menus["view/item/context"];
  const inMenu = items.filter(({ group }) => !group.startsWith("inline"));
  expect(inMenu.map(({ command }) => command)).toEqual(
    expect.arrayContaining(items.map(({ command }) => command)),
  );
});

test("the README tells of every command and setting", () => {
  const readme = read("README.md");
  const hidden = "ratls.copyValue";
  for (const { command, title } of manifest.contributes.commands) {
    expect(command === hidden || readme.includes(`_${title}_`), title).toBe(true);
  }
  for (const name of Object.keys(manifest.contributes.configuration.properties)) {
    expect(readme).toContain(`\`${name}\``);
  }
});
