/** The cases of the server's own tests: which file is a Codex config, and whose. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { codexHome, whoseConfig } from "../src/codex.js";
import { disk } from "../src/disk.js";

interface Cases {
  homes: { setting: string; CODEX_HOME: string | null; is: string }[];
  documents: { links?: Record<string, string>; open: string; text?: string; is: string | null }[];
}

const file = new URL("../../../tests/places.json", import.meta.url);
const cases: Cases = JSON.parse(readFileSync(file, "utf8"));

test.each(cases.homes)("where Codex keeps the user's own: $setting, $CODEX_HOME", (each) => {
  const environment = each.CODEX_HOME === null ? {} : { CODEX_HOME: each.CODEX_HOME };
  expect(codexHome({ setting: each.setting, environment, home: "/h" })).toBe(each.is);
});

test.each(cases.documents)("whose $open is", ({ links = {}, open, text = "", is }) => {
  const root = mkdtempSync(join(tmpdir(), "ratls-places-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [link, target] of Object.entries(links)) {
    mkdirSync(join(root, target.endsWith(".toml") ? dirname(target) : target), { recursive: true });
    mkdirSync(dirname(join(root, link)), { recursive: true });
    symlinkSync(join(root, target), join(root, link));
  }
  const path = join(root, open);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  expect(whoseConfig(path, text, join(root, "home", ".codex"), disk) ?? null).toBe(is);
});
