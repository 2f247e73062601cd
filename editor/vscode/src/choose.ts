/** Let the user choose a provider. */

import { window } from "vscode";
import type { ProviderStatus } from "./methods.js";
import { path, plain } from "./render/text.js";
import { isUsable, judge } from "./render/words.js";

/** The one that can be used, or the one that the user picks; undefined if none is picked. */
export async function choose(
  statuses: readonly ProviderStatus[],
  title: string,
): Promise<ProviderStatus | undefined> {
  const usable = statuses.filter(isUsable);
  if (usable.length === 0) {
    throw new Error("no provider in your Codex config is attested, or each has errors");
  }
  if (usable.length === 1) {
    return usable[0];
  }
  const isTwice = ({ provider }: ProviderStatus) =>
    usable.filter((each) => each.provider === provider).length > 1;
  const items = usable.map((status) => ({
    label: `$(${judge(status).icon}) ${plain(status.provider)}`,
    description: plain(judge(status).word),
    ...(isTwice(status) && { detail: plain(path(status.uri)) }),
    status,
  }));
  return (await window.showQuickPick(items, { title }))?.status;
}
