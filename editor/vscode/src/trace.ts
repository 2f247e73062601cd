/**
 * What of the messages between VS Code and the server may be logged: that there was one.
 *
 * Invariant: no body of a message passes, in whatever format and at whatever level it is traced.
 */

import type { LogOutputChannel } from "vscode";

/** A channel like `output` that traces no bodies. */
export function withoutBodies(output: LogOutputChannel): LogOutputChannel {
  return Object.create(output, {
    trace: {
      value: (message: string) => {
        const shown = headline(message);
        if (shown) {
          output.trace(shown);
        }
      },
    },
  }) as LogOutputChannel;
}

/** The first line of a trace in text, which names the method; of one in JSON, nothing. */
function headline(message: string): string | undefined {
  const [first = ""] = message.split("\n", 1);
  return /^[[{"]/.test(first.trim()) ? undefined : first;
}
