/** Which programs are run, and what is said where there is none to run. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { locate } from "../src/server/locate.js";
import { unsupported } from "../src/server/platform.js";
import { findPython } from "../src/server/python.js";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ratls-path-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** A program that prints this, whatever it is asked. */
function program(name: string, says = ""): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("the language server", () => {
  test("is what the setting names, else the extension's own, else the one on the PATH", async () => {
    const found = program("ratls-ls");
    const named = program("other");
    const path = directory;
    expect(await locate({ setting: named, own: "/own", path })).toEqual({ program: named });
    expect(await locate({ setting: "", own: "/own", path })).toEqual({ program: "/own" });
    expect(await locate({ setting: "", own: undefined, path })).toEqual({ program: found });
  });

  test("is never relative, and no other than the one that is named", async () => {
    program("ratls-ls");
    const path = relative(process.cwd(), directory);
    expect(await locate({ setting: "", own: undefined, path })).toEqual({ missing: undefined });
    const setting = join(path, "ratls-ls");
    expect(await locate({ setting, own: "/own", path: directory })).toEqual({ missing: setting });
  });
});

test("Windows is told to use WSL, and no other platform is refused", () => {
  expect(unsupported("win32")).toContain("WSL");
  expect(unsupported("linux")).toBeUndefined();
  expect(unsupported("darwin")).toBeUndefined();
});

describe("Python", () => {
  const find = () => findPython(directory, { cwd: directory });
  const says = (version: string, isNew: boolean, hasVenv: boolean) =>
    JSON.stringify({ version, isNew, hasVenv });

  test("is the first that will do", async () => {
    program("python3", "no JSON");
    program("python3.14", says("3.9.2", false, true));
    const newer = program("python3.12", says("3.12.1", true, true));
    expect(await find()).toMatchObject({ program: newer, version: "3.12.1" });
  });

  test("is missed for a reason that says what to do", async () => {
    expect(await find()).toEqual({ missing: "there is no Python on the PATH" });
    const old = program("python3", says("3.9.2", false, true));
    expect(await find()).toEqual({ missing: `${old} is 3.9.2` });
    const incomplete = program("python3.11", says("3.11.2", true, false));
    expect(await find()).toEqual({
      missing: `${incomplete} (3.11.2) lacks venv; on Debian and Ubuntu: apt install python3-venv`,
    });
  });
});
