/** Wires it all together. */

import {
  CancellationError,
  commands,
  type ExtensionContext,
  type LogOutputChannel,
  window,
  workspace,
} from "vscode";
import type { CommandId } from "./command_ids.js";
import { commandsOf } from "./commands.js";
import { Keys } from "./keys.js";
import { REQUEST_CANCELLED } from "./methods.js";
import { line } from "./render/text.js";
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
  const table = commandsOf({ session, keys, report, answers, output, state: context.globalState });
  context.subscriptions.push(
    output,
    session,
    report,
    answers,
    new StatusBar(session),
    new ProvidersView(session),
    server.onDidChange(() => setContext("running", server.isRunning)),
    // The server is told its keys when it starts, and it has none in an untrusted workspace.
    workspace.onDidGrantWorkspaceTrust(() => server.restart()),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("ratls.server.path")) {
        void server.restart();
      }
    }),
    server,
  );
  void setContext("active", true);
  return { session, run: async (id, args) => await reported(output, () => table[id](...args)) };
}

/** What a command fails with is told to the user, unless the user cancelled it. */
async function reported(output: LogOutputChannel, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const cancelled = (error as { code?: unknown } | null)?.code === REQUEST_CANCELLED;
    if (cancelled || error instanceof CancellationError) {
      return;
    }
    const message = line(error instanceof Error ? error.message : String(error));
    output.error(message);
    void window.showErrorMessage(`ratls: ${message}`);
  }
}

async function setContext(name: string, value: boolean): Promise<void> {
  await commands.executeCommand("setContext", `ratls.${name}`, value);
}
