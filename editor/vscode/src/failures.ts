/** Tell the user what a command failed with, and offer what helps. */

import { CancellationError, window } from "vscode";
import { ATTESTATION_REJECTED, REQUEST_CANCELLED } from "./methods.js";
import type { Parts } from "./parts.js";
import { line } from "./render/text.js";

const REPORT = "Show Report";
const OUTPUT = "Show Output";

/** What `run` fails with is told, unless the user cancelled it. */
export async function reported(parts: Parts, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    const { code, data } = (error ?? {}) as { code?: unknown; data?: unknown };
    if (code !== REQUEST_CANCELLED && !(error instanceof CancellationError)) {
      const provider = code === ATTESTATION_REJECTED ? refused(data) : undefined;
      // Nobody waits for what the user makes of it.
      void tell(parts, error instanceof Error ? error.message : String(error), provider);
    }
  }
}

async function tell(
  { output, report, session }: Parts,
  why: string,
  provider: string | undefined,
): Promise<void> {
  const status = session.statuses.all.find((each) => each.provider === provider);
  const message = line(why) + (status ? ". Nothing was sent." : "");
  output.error(message);
  const offer = status ? REPORT : OUTPUT;
  if ((await window.showErrorMessage(`ratls: ${message}`, offer)) === undefined) {
    return;
  }
  if (status) {
    await report.show(status);
  } else {
    output.show();
  }
}

/** The provider in an attestation result. */
function refused(data: unknown): string | undefined {
  const provider = (data as { provider?: unknown } | null | undefined)?.provider;
  return typeof provider === "string" ? provider : undefined;
}
