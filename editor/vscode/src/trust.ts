/** Say why nothing happens in a workspace that is not trusted. */

import { commands, window, workspace } from "vscode";

const MANAGE = "Manage Workspace Trust";

/** Whether this workspace is trusted; if it is not, the user is told what that means. */
export function trusted(): boolean {
  if (!workspace.isTrusted) {
    void explain();
  }
  return workspace.isTrusted;
}

async function explain(): Promise<void> {
  const message = "ratls: this workspace is not trusted, so nothing is contacted and nothing sent.";
  if ((await window.showWarningMessage(message, MANAGE)) === MANAGE) {
    await commands.executeCommand("workbench.trust.manage");
  }
}
