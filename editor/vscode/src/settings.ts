/**
 * The user's settings, as the server takes them.
 *
 * Invariant: `trusted` is VS Code's word on this workspace and nothing else.
 */

import { workspace } from "vscode";

/** A setting that holds text. */
export function text(name: string): string {
  const value = workspace.getConfiguration("ratls").get<unknown>(name);
  return typeof value === "string" ? value.trim() : "";
}

/** The section `ratls` of the protocol. */
export function serverSettings(): Record<string, unknown> {
  const settings = workspace.getConfiguration("ratls");
  return {
    trusted: workspace.isTrusted,
    attestation: settings.get("attestation"),
    tls: settings.get("tls"),
    unsafeRootCa: settings.get("unsafeRootCa"),
    codexHome: settings.get("codexHome"),
    audit: settings.get("audit"),
  };
}
