/** Where Codex keeps its config, and which documents are such. Pure. */

import { basename, dirname, isAbsolute, join } from "node:path";

interface Surroundings {
  setting: string;
  environment: NodeJS.ProcessEnv;
  home: string;
}

export function codexHome({ setting, environment, home }: Surroundings): string {
  const chosen = setting.replace(/^~(?=$|[\\/])/, home) || environment.CODEX_HOME || "";
  return isAbsolute(chosen) ? chosen : join(home, ".codex");
}

/** Whether a TOML file is one that the server has something to say about. */
export function isCodexConfig(path: string, text: string, codexHome: string): boolean {
  const name = basename(path);
  const directory = dirname(path);
  const named =
    name === "config.toml" || (name.endsWith(".config.toml") && directory === codexHome);
  return (
    (named && (directory === codexHome || basename(directory) === ".codex")) ||
    text.includes("model_providers")
  );
}

/** Whether a config is that of a project, and not the user's own. */
export function isProjectConfig(path: string, codexHome: string): boolean {
  const directory = dirname(path);
  return basename(directory) === ".codex" && directory !== codexHome;
}
