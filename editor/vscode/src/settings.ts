/**
 * The user's settings, as the server takes them.
 *
 * Invariants: none comes from a workspace; `trusted` is VS Code's word on this workspace and nothing
 * else.
 */

import { homedir } from "node:os";
import { workspace } from "vscode";
import { codexHome } from "./codex.js";

/** A setting that holds text. */
export function text(name: string): string {
  const value = own(name);
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
  return {
    trusted: workspace.isTrusted,
    attestation: own("attestation"),
    tls: own("tls"),
    unsafeRootCa: own("unsafeRootCa"),
    // The server runs in a directory of ours: what is relative means another place there.
    codexHome: configuredHome(),
    audit: own("audit"),
  };
}

/**
 * What the user set, in a remote window there and here; else the default. Of a group all that the
 * user wrote, so that the server tells of a misspelt name.
 *
 * What is in force is no such thing: VS Code looks for "machine" at a name as it is written, so a
 * folder passes `{"ratls": {"server": …}}`, or takes a group away by `{"ratls.attestation": null}`.
 */
function own(name: string): unknown {
  const found = workspace.getConfiguration("ratls").inspect(name);
  return found?.globalValue ?? found?.defaultValue;
}
