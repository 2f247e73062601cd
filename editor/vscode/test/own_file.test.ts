import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ensureFile } from "../src/own_file.js";

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), "ratls-own-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

test("a file that is missing is made for its user alone, with its directory", async () => {
  const path = join(directory(), ".codex", "config.toml");
  await ensureFile(path);
  expect(readFileSync(path, "utf8")).toBe("");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
});

test("what is there stays, and what cannot be is told", async () => {
  const path = join(directory(), "config.toml");
  writeFileSync(path, "x = 1");
  await ensureFile(path);
  expect(readFileSync(path, "utf8")).toBe("x = 1");
  await expect(ensureFile(join(path, "config.toml"))).rejects.toThrow();
});
