/**
 * Get the language server, with the user's consent.
 *
 * Invariant: nothing is installed, and no network used for it, before the user said yes.
 */

import {
  ConfigurationTarget,
  type ExtensionContext,
  env,
  type LogOutputChannel,
  ProgressLocation,
  Uri,
  window,
  workspace,
} from "vscode";
import { plain } from "../render/text.js";
import { text } from "../settings.js";
import { Environment } from "./environment.js";
import { locate } from "./locate.js";
import { unsupported } from "./platform.js";
import { findPython } from "./python.js";

const SET_UP = "Set Up";
const AGAIN = "Try Again";
const GET_PYTHON = "Get Python";
const CHOOSE = "Choose Program…";
const OUTPUT = "Show Output";
const PYTHON = Uri.parse("https://www.python.org/downloads/");

/** The server's program; undefined if there is none. `ask`: the user may be asked for one. */
export async function findServer(
  context: ExtensionContext,
  output: LogOutputChannel,
  ask: boolean,
): Promise<string | undefined> {
  if (unsupported(process.platform)) {
    return ask ? await setUp(context, output) : undefined;
  }
  const environment = await Environment.of(context.extensionPath, storage(context));
  const found = await locate({
    setting: text("server.path"),
    own: await environment?.program(),
    path: process.env.PATH,
  });
  if ("program" in found) {
    return found.program;
  }
  if (found.missing !== undefined) {
    complain(`${found.missing} is no program. Mend the setting ratls.server.path.`, output);
    return undefined;
  }
  return ask ? await setUp(context, output) : undefined;
}

/**
 * Ask, and make the environment. The server's program, or undefined. Unless it is to be made
 * `anew`, one that another window made while the user was asked will do.
 */
export async function setUp(
  context: ExtensionContext,
  output: LogOutputChannel,
  anew = false,
): Promise<string | undefined> {
  const reason = unsupported(process.platform);
  if (reason) {
    complain(reason, output);
    return undefined;
  }
  const environment = await Environment.of(context.extensionPath, storage(context));
  if (!environment) {
    complain("This build carries no language server.", output);
    return undefined;
  }
  const python = await findPython(process.env.PATH, { cwd: context.extensionPath });
  if ("missing" in python) {
    return (await help(python.missing)) ? await setUp(context, output, anew) : undefined;
  }
  const answer = await window.showInformationMessage(
    `Set up the language server ratls-ls? It gets a Python environment of its own (Python ${python.version}, ${python.program}); what it depends on is downloaded with pip.`,
    SET_UP,
    CHOOSE,
  );
  if (answer === CHOOSE) {
    await choose();
  }
  if (answer !== SET_UP) {
    return undefined;
  }
  const ready = anew ? undefined : await environment.program();
  return ready ?? (await make(environment, python.program, output));
}

/** Where a Python comes from. Whether the user wants to try again. */
async function help(missing: string): Promise<boolean> {
  const message = `ratls: The language server needs Python 3.11 or newer, and ${missing}.`;
  const answer = await window.showWarningMessage(message, AGAIN, GET_PYTHON, CHOOSE);
  if (answer === GET_PYTHON) {
    await env.openExternal(PYTHON);
  } else if (answer === CHOOSE) {
    await choose();
  }
  return answer === AGAIN;
}

async function make(
  environment: Environment,
  python: string,
  output: LogOutputChannel,
): Promise<string | undefined> {
  const options = { location: ProgressLocation.Notification, title: "ratls", cancellable: true };
  return await window.withProgress(options, async (progress, token) => {
    const abort = new AbortController();
    token.onCancellationRequested(() => abort.abort());
    try {
      await environment.make(python, (message) => progress.report({ message }), {
        signal: abort.signal,
        log: (said) => output.append(said),
      });
      return await environment.program();
    } catch (error) {
      if (!abort.signal.aborted) {
        const why = error instanceof Error ? error.message : String(error);
        complain(`The language server could not be set up: ${why}`, output);
      }
      return undefined;
    }
  });
}

/** Let the user point at a program; the change of the setting starts it. */
async function choose(): Promise<void> {
  const [file] = (await window.showOpenDialog({ title: "Choose the program ratls-ls" })) ?? [];
  if (file) {
    await workspace
      .getConfiguration("ratls")
      .update("server.path", file.fsPath, ConfigurationTarget.Global);
  }
}

/** Nobody waits for what the user makes of it. */
function complain(message: string, output: LogOutputChannel): void {
  void window.showErrorMessage(`ratls: ${plain(message)}`, OUTPUT).then((answer) => {
    if (answer === OUTPUT) {
      output.show();
    }
  });
}

/** Say that the server does not start. Whether the user wants it set up anew. */
export async function complainOfStart(why: string, output: LogOutputChannel): Promise<boolean> {
  const message = `ratls: The language server does not start: ${plain(why)}`;
  // What the user names is for the user to mend.
  const offers = text("server.path") ? [OUTPUT] : [SET_UP, OUTPUT];
  const answer = await window.showErrorMessage(message, ...offers);
  if (answer === OUTPUT) {
    output.show();
  }
  return answer === SET_UP;
}

function storage(context: ExtensionContext): string {
  return context.globalStorageUri.fsPath;
}
