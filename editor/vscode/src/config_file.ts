/** The user's own Codex config: open it, and put a provider into it. */

import { join } from "node:path";
import { SnippetString, type TextDocument, type TextEditor, Uri, window } from "vscode";
import { type Whose, whoseConfig } from "./codex.js";
import { disk } from "./disk.js";
import { ensureFile } from "./own_file.js";
import { configuredHome } from "./settings.js";

const NEW_PROVIDER = `[model_providers.\${1:my-provider}]
name = "\${2:My provider}"
base_url = "https://\${3:llm.example.com}/v1"
env_key = "\${4:MY_PROVIDER_KEY}"
use_ratls = true

[model_providers.\${1:my-provider}.ratls_policy]
tee_type = "Tdx"
allowed_tdx_status = ["UpToDate"]
pccs_url = "https://pccs.phala.network/tdx/certification/v4"
`;

/** Whether the server has something to say about a document. */
export function isServed(document: TextDocument): boolean {
  return whose(document) !== undefined;
}

function whose(document: TextDocument): Whose | undefined {
  return document.languageId === "toml"
    ? whoseConfig(document.fileName, document.getText(), configuredHome(), disk)
    : undefined;
}

/** The user's own config, be it there or not. */
export function ownConfig(): Uri {
  return Uri.file(join(configuredHome(), "config.toml"));
}

export async function openConfig(): Promise<TextEditor> {
  const uri = ownConfig();
  await ensureFile(uri.fsPath);
  return await window.showTextDocument(uri);
}

/**
 * At the end of the config in front of the user, else of the user's own. A project's is none: Codex
 * ignores providers there.
 */
export async function newProvider(): Promise<void> {
  const active = window.activeTextEditor;
  const editor = active && mayHoldProviders(active.document) ? active : await openConfig();
  const last = editor.document.lineAt(editor.document.lineCount - 1);
  const before = last.text.trim() ? "\n\n" : editor.document.lineCount > 1 ? "\n" : "";
  await editor.insertSnippet(new SnippetString(before + NEW_PROVIDER), last.range.end);
}

function mayHoldProviders(document: TextDocument): boolean {
  const found = whose(document);
  return found === "own" || found === "other";
}
