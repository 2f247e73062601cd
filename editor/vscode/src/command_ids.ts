/** The commands of this extension. package.json declares the same; a test says so. */

export const COMMAND_IDS = [
  "ratls.attestProvider",
  "ratls.attestAll",
  "ratls.pinProvider",
  "ratls.showReport",
  "ratls.exportReport",
  "ratls.copyValue",
  "ratls.sendPrompt",
  "ratls.openConfig",
  "ratls.newProvider",
  "ratls.storeKey",
  "ratls.removeKey",
  "ratls.setUpServer",
  "ratls.restartServer",
  "ratls.showOutput",
  "ratls.showActions",
] as const;

export type CommandId = (typeof COMMAND_IDS)[number];
