/** What each command does. */

import { env, Uri, window, workspace } from "vscode";
import { chooseAction } from "./actions.js";
import { choose } from "./choose.js";
import type { CommandId } from "./command_ids.js";
import { newProvider, openConfig } from "./config_file.js";
import { reported } from "./failures.js";
import { whyNoVariable } from "./key_names.js";
import type { ProviderStatus } from "./methods.js";
import type { Parts } from "./parts.js";
import { sendPrompt } from "./prompt.js";
import { plain } from "./render/text.js";
import type { TreeNode } from "./render/tree.js";
import { isAttested, isUsable, reason } from "./render/words.js";
import type { Session } from "./session.js";
import { trusted } from "./trust.js";

type Command = (...args: unknown[]) => Promise<void>;

export function commandsOf(parts: Parts): Record<CommandId, Command> {
  const { session, keys, report, output } = parts;

  /** With the provider that the command was called on, else the one that the user chooses. */
  async function onProvider(
    args: unknown[],
    title: string,
    run: (status: ProviderStatus) => Promise<void>,
  ): Promise<void> {
    const given = (args[0] as TreeNode | undefined)?.status ?? report.shown;
    const status = given ?? (await choose(await session.status(), title));
    if (status) {
      await reported(parts, () => run(status), status);
    }
  }

  /** The same for what contacts the provider. */
  async function onTrusted(...args: Parameters<typeof onProvider>): Promise<void> {
    if (trusted()) {
      await onProvider(...args);
    }
  }

  const table: Record<CommandId, Command> = {
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
    "ratls.exportReport": (...args) =>
      onProvider(args, "Export the report on which provider?", exportReport),
    "ratls.copyValue": async (...args) => {
      const copy = (args[0] as TreeNode | undefined)?.copy;
      if (copy) {
        await env.clipboard.writeText(copy);
      }
    },
    "ratls.sendPrompt": (...args) =>
      onTrusted(args, "Send a prompt to which provider?", (status) => sendPrompt(parts, status)),
    "ratls.openConfig": async () => {
      await openConfig();
    },
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
      }
    },
    "ratls.removeKey": async () => {
      const name = await window.showQuickPick(keys.names, { title: "Remove which key?" });
      if (name) {
        await keys.remove(name);
      }
    },
    "ratls.setUpServer": () => session.server.setUp(),
    "ratls.restartServer": () => session.server.restart(),
    "ratls.showOutput": async () => output.show(),
    "ratls.showActions": async () => {
      const { foremost: status, statuses, server } = session;
      // One that does not run yet may find some.
      const usable = !server.isRunning || statuses.all.some(isUsable);
      const id = await chooseAction(status, usable, server.version);
      if (id) {
        await table[id](...(status && isUsable(status) ? [{ status }] : []));
      }
    },
  };
  return table;
}

async function exportReport(status: ProviderStatus): Promise<void> {
  const content = `${JSON.stringify(status.result ?? status, undefined, 2)}\n`;
  const document = await workspace.openTextDocument({ language: "json", content });
  await window.showTextDocument(document);
}

async function askName(session: Session): Promise<string | undefined> {
  const status = session.foremost;
  const whose = status && isUsable(status) ? ` for ${plain(status.provider)}` : "";
  return await window.showInputBox({
    title: "Store an API key",
    prompt: `The name of the variable, as env_key has it${whose}; the key is asked for next`,
    placeHolder: "MY_PROVIDER_KEY",
    validateInput: whyNoVariable,
  });
}
