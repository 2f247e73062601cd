/**
 * The language client.
 *
 * Invariant: no body of a message is ever logged, whatever the trace level: it could be a prompt.
 */

import { type LogOutputChannel, window } from "vscode";
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  type ErrorHandler,
  LanguageClient,
  type LanguageClientOptions,
  MessageType,
  RevealOutputChannelOn,
  type ServerOptions,
  ShowMessageNotification,
  TransportKind,
} from "vscode-languageclient/node";
import { plain } from "./render/text.js";
import { serverSettings } from "./settings.js";
import { withoutBodies } from "./trace.js";

/** `cwd`: of the server, no workspace. `keys`: further variables of its environment. */
interface Start {
  program: string;
  cwd: string;
  keys: Record<string, string>;
}

/** A client for the server `program`, not started yet. */
export function createClient(start: Start, output: LogOutputChannel): LanguageClient {
  const server: ServerOptions = {
    command: start.program,
    transport: TransportKind.stdio,
    options: { cwd: start.cwd, env: { ...process.env, ...start.keys } },
  };
  let standard: ErrorHandler | undefined;
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "toml" },
      { scheme: "untitled", language: "toml" },
    ],
    initializationOptions: serverSettings(),
    outputChannel: output,
    traceOutputChannel: withoutBodies(output),
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    markdown: { isTrusted: false, supportHtml: false },
    // Who starts it says so, and what helps.
    initializationFailedHandler: () => false,
    errorHandler: {
      // What cannot be written to a server that just ended would end the client for good; that the
      // connection is closed is told too, and starts the server again.
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => {
        if (client.initializeResult === undefined) {
          // Whoever started it says so; it would only fail again.
          return { action: CloseAction.DoNotRestart, handled: true };
        }
        standard ??= client.createDefaultErrorHandler();
        return standard.closed();
      },
    },
    middleware: {
      workspace: {
        configuration: ({ items }) => items.map(() => serverSettings()),
        didChangeConfiguration: () =>
          client.sendNotification(DidChangeConfigurationNotification.type, {
            settings: { ratls: serverSettings() },
          }),
      },
      executeCommand: async (command, args, next) => {
        try {
          return await next(command, args);
        } catch (error) {
          void window.showErrorMessage(
            `ratls: ${plain(error instanceof Error ? error.message : "failed")}`,
          );
          return undefined;
        }
      },
    },
  };
  const client = new LanguageClient("ratls", "ratls", server, options);
  client.onNotification(ShowMessageNotification.type, ({ type, message }) => {
    const show =
      type === MessageType.Error
        ? window.showErrorMessage
        : type === MessageType.Warning
          ? window.showWarningMessage
          : window.showInformationMessage;
    void show(plain(message));
  });
  return client;
}
