/** Tell the user what a command failed with, and offer what helps. */

import { CancellationError, window } from "vscode";
import { ATTESTATION_REJECTED, type ProviderStatus, REQUEST_CANCELLED } from "./methods.js";
import type { Parts } from "./parts.js";
import { plain } from "./render/text.js";

const REPORT = "Show Report";
const OUTPUT = "Show Output";

/** What `run` fails with is told, unless the user cancelled it. `about`: the provider it is for. */
export async function reported(
  parts: Parts,
  run: () => Promise<void>,
  about?: ProviderStatus,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    const { code } = (error ?? {}) as { code?: unknown };
    if (code !== REQUEST_CANCELLED && !(error instanceof CancellationError)) {
      const refused = code === ATTESTATION_REJECTED ? about : undefined;
      // Nobody waits for what the user makes of it.
      void tell(parts, error instanceof Error ? error.message : String(error), refused);
    }
  }
}

async function tell(
  { output, report }: Parts,
  why: string,
  refused: ProviderStatus | undefined,
): Promise<void> {
  const message = plain(why) + (refused ? ". Nothing was sent." : "");
  output.error(message);
  const offer = refused ? REPORT : OUTPUT;
  if ((await window.showErrorMessage(`ratls: ${message}`, offer)) === undefined) {
    return;
  }
  if (refused) {
    await report.show(refused);
  } else {
    output.show();
  }
}
