/** Offer to cancel what takes long; what is quick shows nothing. */

import { setTimeout } from "node:timers/promises";
import { type CancellationTokenSource, ProgressLocation, window } from "vscode";

const QUICK_MILLISECONDS = 500;

/** `running` ends soon after `cancellation` is cancelled. */
export async function cancellable<T>(
  title: string,
  cancellation: CancellationTokenSource,
  running: Promise<T>,
): Promise<T> {
  const ended = running.then(
    () => true,
    () => true,
  );
  if (await Promise.race([ended, setTimeout(QUICK_MILLISECONDS, false, { ref: false })])) {
    return await running;
  }
  const options = { location: ProgressLocation.Notification, title, cancellable: true };
  return await window.withProgress(options, (_progress, token) => {
    token.onCancellationRequested(() => cancellation.cancel());
    return running;
  });
}
