/** What the status bar item offers. */

import { type QuickPickItem, QuickPickItemKind, window } from "vscode";
import type { CommandId } from "./command_ids.js";
import type { ProviderStatus } from "./methods.js";
import { isAttested, label } from "./render/words.js";

interface Action extends QuickPickItem {
  id?: CommandId;
}

/**
 * The command that the user picks. `status`: of the default provider; `usable`: whether any can be
 * attested; `version`: of the language server, if it runs.
 */
export async function chooseAction(
  status: ProviderStatus | undefined,
  usable: boolean,
  version: string | undefined,
): Promise<CommandId | undefined> {
  const title = status ? label(status) : "Attestation";
  const pin: Action = { label: "$(pin) Pin measurements", id: "ratls.pinProvider" };
  const onProvider: Action[] = [
    { label: "$(send) Send prompt over attested TLS", id: "ratls.sendPrompt" },
    { label: "$(open-preview) Show attestation report", id: "ratls.showReport" },
    { label: "$(refresh) Attest now", id: "ratls.attestProvider" },
    ...(status && isAttested(status) ? [pin] : []),
  ];
  const actions: Action[] = [
    ...(usable ? onProvider : []),
    { label: "$(add) New attested provider", id: "ratls.newProvider" },
    { label: "$(go-to-file) Open Codex config", id: "ratls.openConfig" },
    { label: version ? `ratls-ls ${version}` : "ratls-ls", kind: QuickPickItemKind.Separator },
    { label: "$(debug-restart) Restart language server", id: "ratls.restartServer" },
    { label: "$(output) Show output", id: "ratls.showOutput" },
  ];
  return (await window.showQuickPick(actions, { title }))?.id;
}
