/** Whose settings count: the user's, whatever those of the folder say. */

import { readdirSync, readFileSync } from "node:fs";
import { beforeEach, expect, test, vi } from "vitest";
import { serverSettings, text } from "../src/settings.js";

const DEFAULTS: Record<string, unknown> = {
  "ratls.attestation": { trigger: "onOpenAndSave", requireSessionBinding: false },
  "ratls.audit": { enabled: false },
  "ratls.codexHome": "",
  "ratls.server.path": "",
  "ratls.tls": { caFile: "" },
  "ratls.unsafeRootCa": [],
};

const { user } = vi.hoisted(() => ({ user: new Map<string, unknown>() }));

vi.mock("vscode", () => ({
  workspace: {
    isTrusted: false,
    // What is in force is what the folder says, as VS Code has it for names that it does not know.
    getConfiguration: (section: string) => ({
      get: () => "/folder/evil",
      has: () => true,
      inspect: (name: string) => ({
        defaultValue: DEFAULTS[`${section}.${name}`],
        globalValue: user.get(name),
        workspaceValue: "/folder/evil",
        workspaceFolderValue: "/folder/evil",
      }),
    }),
  },
}));

beforeEach(() => user.clear());

test("what the folder sets is never told, be the user's set or not", () => {
  const attestation = {
    trigger: "manual",
    requireSessionBinding: true,
    requireSesionBinding: true,
  };
  expect(serverSettings()).toMatchObject({
    trusted: false,
    attestation: DEFAULTS["ratls.attestation"],
    tls: { caFile: "" },
    unsafeRootCa: [],
    audit: { enabled: false },
  });
  user.set("attestation", attestation);
  user.set("audit", { enabled: true });
  user.set("codexHome", "/user/codex");
  user.set("tls", { caFile: "/user/ca.pem" });
  user.set("unsafeRootCa", ["/user/root.pem"]);
  expect(serverSettings()).toEqual({
    trusted: false,
    // What is misspelt too: the server tells of it.
    attestation,
    tls: { caFile: "/user/ca.pem" },
    unsafeRootCa: ["/user/root.pem"],
    codexHome: "/user/codex",
    audit: { enabled: true },
  });
});

test("a program is the user's, or none", () => {
  expect(text("server.path")).toBe("");
  user.set("server.path", " /user/ratls-ls ");
  expect(text("server.path")).toBe("/user/ratls-ls");
  user.set("server.path", null);
  expect(text("server.path")).toBe("");
});

test("nothing asks for the settings in force", () => {
  const source = new URL("../src/", import.meta.url);
  const files = readdirSync(source, { recursive: true, encoding: "utf8" });
  const reading = files
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(new URL(name, source), "utf8"))
    .flatMap((code) => [
      ...code.matchAll(/getConfiguration\(\s*([^)]*)\)\s*\.(\w+)|getConfiguration\b/g),
    ])
    .map(([, section, method]) => [section, method]);
  expect(reading.sort()).toEqual([
    ['"ratls"', "inspect"],
    ['"ratls"', "update"],
  ]);
});
