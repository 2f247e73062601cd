/**
 * Activates. Whoever edits other TOML files pays for this file alone: the rest is loaded, and the
 * server started, when a Codex config is open or somebody asks.
 */

import {
  commands,
  EventEmitter,
  type ExtensionContext,
  type TextDocument,
  workspace,
} from "vscode";
import { API_VERSION, type RatlsApi } from "./api.js";
import { COMMAND_IDS } from "./command_ids.js";
import { isServed } from "./config_file.js";
import type { Extension } from "./extension.js";
import type { ProviderStatus } from "./methods.js";

export function activate(context: ExtensionContext): RatlsApi {
  const statusChanged = new EventEmitter<ProviderStatus>();
  let extension: Promise<Extension> | undefined;

  function loaded(): Promise<Extension> {
    extension ??= import("./extension.js").then((module) => {
      const made = module.create(context);
      made.session.onDidChangeStatus((status) => statusChanged.fire(status));
      return made;
    });
    return extension;
  }

  function look(document: TextDocument): void {
    if (!extension && isServed(document)) {
      void loaded().then(({ session }) => session.server.start());
    }
  }

  context.subscriptions.push(
    statusChanged,
    workspace.onDidOpenTextDocument(look),
    workspace.onDidSaveTextDocument(look),
    workspace.onDidChangeTextDocument(({ document }) => {
      // One without a file may never be saved.
      if (document.isUntitled) {
        look(document);
      }
    }),
    ...COMMAND_IDS.map((id) =>
      commands.registerCommand(id, async (...args: unknown[]) => {
        await (await loaded()).run(id, args);
      }),
    ),
  );
  workspace.textDocuments.forEach(look);

  return {
    version: API_VERSION,
    attestedRequest: async (params, onPart, token) =>
      await (await loaded()).session.request(params, onPart, token),
    attestationStatus: async (params) => await (await loaded()).session.status(params),
    onDidChangeStatus: statusChanged.event,
  };
}
