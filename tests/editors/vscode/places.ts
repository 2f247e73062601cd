/** Where things are, and how long the tests wait for what must come. */

import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../../..");
export const ARTIFACTS = join(ROOT, "artifacts");
export const SERVER = join(ROOT, ".venv/bin/ratls-ls");
export const CODE_SERVER = join(import.meta.dirname, "node_modules/code-server/out/node/entry.js");
export const RATLS = join(ROOT, "editor/vscode/out/ratls.vsix");
export const EXAMPLE = join(ROOT, "editor/vscode/out/example.vsix");
export const PATIENCE = 15_000;
// The variable of the simulated API key. Without a key the config would be warned of.
export const KEY = "SIMULATED_API_KEY";
