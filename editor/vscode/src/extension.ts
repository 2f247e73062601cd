/** Wires it all together. */

import { type ExtensionContext, window, workspace } from "vscode";
import type { CommandId } from "./command_ids.js";
import { commandsOf } from "./commands.js";
import { keepContexts } from "./contexts.js";
import { reported } from "./failures.js";
import { Keys } from "./keys.js";
import type { Parts } from "./parts.js";
import { Server } from "./server.js";
import { Session } from "./session.js";
import { AnswerView } from "./ui/answer_view.js";
import { ProvidersView } from "./ui/providers_view.js";
import { ReportView } from "./ui/report_view.js";
import { StatusBar } from "./ui/status_bar.js";

/** `run`: one of the commands, with what VS Code hands it. */
export interface Extension {
  readonly session: Session;
  run(id: CommandId, args: unknown[]): Promise<void>;
}

export function create(context: ExtensionContext): Extension {
  const output = window.createOutputChannel("ratls", { log: true });
  const keys = new Keys(context.secrets, context.globalState);
  const server = new Server(context, output, keys);
  const session = new Session(server);
  const report = new ReportView(session);
  const answers = new AnswerView();
  const state = context.globalState;
  const parts: Parts = { session, keys, report, answers, output, state };
  const table = commandsOf(parts);
  context.subscriptions.push(
    output,
    session,
    report,
    answers,
    new StatusBar(session),
    new ProvidersView(session),
    keepContexts(session, keys),
    // The server is told its keys when it starts, and it has none in an untrusted workspace.
    keys,
    keys.onDidChange(() => server.renew()),
    workspace.onDidGrantWorkspaceTrust(() => server.restart()),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("ratls.server.path")) {
        void server.restart();
      }
    }),
    server,
  );
  return { session, run: (id, args) => reported(parts, () => table[id](...args)) };
}
