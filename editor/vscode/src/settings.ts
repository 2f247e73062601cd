/**
 * The user's settings, as the server takes them.
 *
 * Invariant: `trusted` is VS Code's word on this workspace and nothing else.
 */

import { homedir } from "node:os";
import { workspace } from "vscode";
import { codexHome } from "./codex.js";

/** A setting that holds text. */
export function text(name: string): string {
  const value = workspace.getConfiguration("ratls").get<unknown>(name);
  return typeof value === "string" ? value.trim() : "";
}

/** Where Codex keeps the user's own config. */
export function configuredHome(): string {
  return codexHome({
    setting: text("codexHome"),
    environment: process.env,
    home: homedir(),
  });
}

/** The section `ratls` of the protocol. */
export function serverSettings(): Record<string, unknown> {
  const settings = workspace.getConfiguration("ratls");
  return {
    trusted: workspace.isTrusted,
    attestation: settings.get("attestation"),
    tls: settings.get("tls"),
    unsafeRootCa: settings.get("unsafeRootCa"),
    // The server runs in a directory of ours: what is relative means another place there.
    codexHome: configuredHome(),
    audit: settings.get("audit"),
  };
}
