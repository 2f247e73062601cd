/** What each command does. */

import { homedir } from "node:os";
import { join } from "node:path";
import { env, SnippetString, Uri, window, workspace } from "vscode";
import { codexHome } from "./codex.js";
import type { CommandId } from "./command_ids.js";
import { mayHoldKey } from "./key_names.js";
import type { ProviderStatus } from "./methods.js";
import type { Parts } from "./parts.js";
import { sendPrompt } from "./prompt.js";
import { line } from "./render/text.js";
import type { TreeNode } from "./render/tree.js";
import { isAttested, isUsable, judge, reason } from "./render/words.js";
import type { Session } from "./session.js";
import { text } from "./settings.js";
import { foremost } from "./statuses.js";
import { trusted } from "./trust.js";

type Command = (...args: unknown[]) => Promise<void>;

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

export function commandsOf(parts: Parts): Record<CommandId, Command> {
  const { session, keys, report, output } = parts;

  /** The provider that a command was called on, else the one that the user picks. */
  async function chosen(args: unknown[], title: string): Promise<ProviderStatus | undefined> {
    const given = (args[0] as TreeNode | undefined)?.status;
    return given ?? (await pick(await session.status(), title));
  }

  async function onProvider(
    args: unknown[],
    title: string,
    run: (status: ProviderStatus) => Promise<void>,
  ): Promise<void> {
    const status = await chosen(args, title);
    if (status) {
      await run(status);
    }
  }

  /** The same for what contacts the provider. */
  async function onTrusted(...args: Parameters<typeof onProvider>): Promise<void> {
    if (trusted()) {
      await onProvider(...args);
    }
  }

  return {
    "ratls.attestProvider": (...args) =>
      onTrusted(args, "Attest which provider?", ({ uri, provider }) =>
        session.attest(uri, provider),
      ),
    "ratls.attestAll": async () => {
      if (trusted()) {
        await session.attest();
      }
    },
    "ratls.pinProvider": (...args) =>
      onTrusted(args, "Pin the measurements of which provider?", async (status) => {
        // The pins are edits that are not saved: the user is to look at them.
        await window.showTextDocument(Uri.parse(status.uri));
        // Only what the policy as it stands was just attested with may be pinned.
        await session.attest(status.uri, status.provider);
        const now = session.statuses.get(status.uri, status.provider);
        if (!now || !isAttested(now)) {
          throw new Error(`nothing to pin. ${now ? reason(now) : "The provider is gone."}`);
        }
        await session.pin(now);
      }),
    "ratls.showReport": (...args) =>
      onProvider(args, "Report on which provider?", (status) => report.show(status)),
    "ratls.exportReport": async (...args) => {
      const status = report.shown ?? (await chosen(args, "Export the report on which provider?"));
      if (status) {
        await exportReport(status);
      }
    },
    "ratls.copyValue": async (...args) => {
      const value = (args[0] as TreeNode | undefined)?.copy;
      if (value) {
        await env.clipboard.writeText(value);
      }
    },
    "ratls.sendPrompt": (...args) =>
      onTrusted(args, "Send a prompt to which provider?", (status) => sendPrompt(parts, status)),
    "ratls.openConfig": openConfig,
    "ratls.newProvider": newProvider,
    "ratls.storeKey": async () => {
      const name = await askName(session);
      const key = name
        ? await window.showInputBox({
            title: `API key for ${name}`,
            prompt: "Kept in VS Code's secret storage; the language server gets it when it starts.",
            password: true,
            ignoreFocusOut: true,
          })
        : undefined;
      if (name && key) {
        await keys.store(name, key);
        await session.server.restart();
      }
    },
    "ratls.removeKey": async () => {
      const name = await window.showQuickPick(keys.names, { title: "Remove which key?" });
      if (name) {
        await keys.remove(name);
        await session.server.restart();
      }
    },
    "ratls.setUpServer": () => session.server.setUp(),
    "ratls.restartServer": () => session.server.restart(),
    "ratls.showOutput": async () => output.show(),
    "ratls.showActions": async () => {
      const active = window.activeTextEditor?.document.uri.toString();
      const status = foremost(session.statuses.all, active);
      await showActions(parts, status);
    },
  };
}

async function pick(
  statuses: readonly ProviderStatus[],
  title: string,
): Promise<ProviderStatus | undefined> {
  const usable = statuses.filter(isUsable);
  if (usable.length <= 1) {
    if (usable.length === 0) {
      throw new Error("no provider in your Codex config is attested, or each has errors");
    }
    return usable[0];
  }
  const items = usable.map((status) => ({
    label: `$(${judge(status).icon}) ${plain(status.provider)}`,
    description: judge(status).word,
    status,
  }));
  return (await window.showQuickPick(items, { title }))?.status;
}

/** A label in which nothing that a config says becomes an icon. */
function plain(text: string): string {
  return line(text).replaceAll("$(", "$ (");
}

async function showActions(parts: Parts, status: ProviderStatus | undefined): Promise<void> {
  const table = commandsOf(parts);
  const node = status ? [{ status }] : [];
  const actions: { label: string; id: CommandId }[] = [
    { label: "$(send) Send prompt over attested TLS", id: "ratls.sendPrompt" },
    { label: "$(open-preview) Show attestation report", id: "ratls.showReport" },
    { label: "$(refresh) Attest now", id: "ratls.attestProvider" },
    ...(status && isAttested(status)
      ? [{ label: "$(pin) Pin measurements", id: "ratls.pinProvider" as const }]
      : []),
    { label: "$(go-to-file) Open Codex config", id: "ratls.openConfig" },
    { label: "$(debug-restart) Restart language server", id: "ratls.restartServer" },
    { label: "$(output) Show output", id: "ratls.showOutput" },
  ];
  const title = status ? `${line(status.provider)}: ${judge(status).word}` : "Attestation";
  const action = await window.showQuickPick(actions, { title });
  if (action) {
    await table[action.id](...node);
  }
}

async function exportReport(status: ProviderStatus): Promise<void> {
  const content = `${JSON.stringify(status.result ?? status, undefined, 2)}\n`;
  const document = await workspace.openTextDocument({ language: "json", content });
  await window.showTextDocument(document);
}

function configUri(): Uri {
  const surroundings = { setting: text("codexHome"), environment: process.env, home: homedir() };
  return Uri.file(join(codexHome(surroundings), "config.toml"));
}

async function openConfig(): Promise<void> {
  const uri = configUri();
  try {
    await workspace.fs.stat(uri);
  } catch {
    await workspace.fs.writeFile(uri, new Uint8Array());
  }
  await window.showTextDocument(uri);
}

async function newProvider(): Promise<void> {
  if (window.activeTextEditor?.document.languageId !== "toml") {
    await openConfig();
  }
  const editor = window.activeTextEditor;
  if (!editor) {
    return;
  }
  const last = editor.document.lineAt(editor.document.lineCount - 1);
  const before = last.text.trim() ? "\n\n" : editor.document.lineCount > 1 ? "\n" : "";
  await editor.insertSnippet(new SnippetString(before + NEW_PROVIDER), last.range.end);
}

async function askName(session: Session): Promise<string | undefined> {
  const status = foremost(session.statuses.all, undefined);
  return await window.showInputBox({
    title: "Store an API key",
    prompt: `The variable that env_key names${status ? ` for ${line(status.provider)}` : ""}`,
    placeHolder: "MY_PROVIDER_KEY",
    validateInput: (name) => (mayHoldKey(name) ? undefined : "This variable cannot hold a key."),
  });
}
