/** Which programs are run, and what is said where there is none to run. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Environment } from "../src/server/environment.js";
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

describe("the extension's own environment", () => {
  const DAY = 24 * 60 * 60 * 1000;
  let extension: string;
  let storage: string;

  beforeEach(() => {
    extension = join(directory, "extension");
    storage = join(directory, "storage");
    mkdirSync(join(extension, "out", "server"), { recursive: true });
    writeFileSync(join(extension, "out", "server", "x.whl"), "a wheel");
  });

  const own = async () => {
    const found = await Environment.of(extension, storage);
    if (!found) {
      throw new Error("it carries a wheel");
    }
    return found;
  };

  /** A Python whose environments have a pip that runs `script`. */
  function python(name: string, script: string): string {
    const path = program(name);
    const makes = `#!/bin/sh
case "$3" in
  venv) for made; do :; done; mkdir -p "$made/bin"; cp "$0" "$made/bin/python" ;;
  pip) ${script} ;;
esac
`;
    writeFileSync(path, makes);
    return path;
  }

  const working = () => python("working", 'cp "$0" "$(dirname "$0")/ratls-ls"');
  const make = async (by = working()) => (await own()).make(by, () => undefined, {});

  test("is there when it is finished, for this very wheel", async () => {
    expect(await (await own()).program()).toBeUndefined();
    const offline = python("offline", "echo no network >&2; exit 1");
    await expect(make(offline)).rejects.toThrow("no network");
    expect(await (await own()).program()).toBeUndefined();
    expect(readdirSync(storage)).toEqual([]);
    await make();
    expect(await (await own()).program()).toMatch(/bin\/ratls-ls$/);
    writeFileSync(join(extension, "out", "server", "x.whl"), "another wheel");
    expect(await (await own()).program()).toBeUndefined();
  });

  test("is made by two windows at once, and what one runs stays when another makes it anew", async () => {
    const by = working();
    await Promise.all([make(by), make(by)]);
    const first = (await (await own()).program()) ?? "";
    await make();
    const second = (await (await own()).program()) ?? "";
    expect(second).not.toBe(first);
    expect([first, second].every(existsSync)).toBe(true);
  });

  test("is none if its Python is gone", async () => {
    await make();
    const found = (await (await own()).program()) ?? "";
    rmSync(join(found, "..", "python"));
    expect(await (await own()).program()).toBeUndefined();
    await make();
    expect(await (await own()).program()).toBeDefined();
  });

  test("is removed when nothing used it for long, as is what was never finished", async () => {
    await make();
    const [unused = ""] = readdirSync(storage);
    const leftOver = join(storage, "server-left-over");
    mkdirSync(leftOver);
    await make();
    expect(readdirSync(storage)).toHaveLength(3);
    const before = (days: number) => new Date(Date.now() - days * DAY);
    utimesSync(join(storage, unused, "finished"), before(99), before(99));
    utimesSync(leftOver, before(2), before(2));
    await make();
    expect(readdirSync(storage)).toHaveLength(2);
    expect(existsSync(join(storage, unused))).toBe(false);
  });
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
