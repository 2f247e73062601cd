/** Where Codex keeps its config, and which documents are such. Pure. */

import { basename, dirname, isAbsolute, join, resolve } from "node:path";

interface Surroundings {
  setting: string;
  environment: NodeJS.ProcessEnv;
  home: string;
}

/** What is asked of the disk: where a path leads, and the names in a directory. */
export interface Disk {
  real(path: string): string;
  names(directory: string): readonly string[];
}

/** `own`: one of the user's configs; `project`: one in which Codex reads no providers. */
export type Whose = "own" | "project" | "other";

const USERS = "config.toml";
const HAS_PROVIDERS = /^\ufeff?[ \t]*(?:\[\[?[ \t]*)?(["']?)model_providers\1[ \t]*[.=\]]/m;

/** A relative path means no place: it would be one in whatever folder is open. */
export function codexHome({ setting, environment, home }: Surroundings): string {
  const named = [setting.replace(/^~(?=$|[\\/])/, () => home), environment.CODEX_HOME ?? ""];
  return resolve(named.find(isAbsolute) ?? join(home, ".codex"));
}

/** Whose config a TOML file is; undefined if the server has nothing to say about it. */
export function whoseConfig(
  path: string,
  text: string,
  codexHome: string,
  disk: Disk,
): Whose | undefined {
  const names = namesIn(codexHome, path, disk);
  const inProject = basename(dirname(path)) === ".codex";
  const whose = names.length > 0 ? "own" : inProject ? "project" : "other";
  const named = names.some(namesConfig) || (inProject && basename(path) === USERS);
  return named || HAS_PROVIDERS.test(text) ? whose : undefined;
}

/** The names that a file has where Codex keeps the user's configs, whatever links lead there. */
function namesIn(codexHome: string, path: string, { real, names }: Disk): string[] {
  const [folder, file] = [real(codexHome), real(path)];
  const ways = [file, join(real(dirname(path)), basename(path))];
  const links = names(folder).filter(
    (name) => namesConfig(name) && real(join(folder, name)) === file,
  );
  return [...ways.filter((way) => dirname(way) === folder).map((way) => basename(way)), ...links];
}

function namesConfig(name: string): boolean {
  return name === USERS || name.endsWith(`.${USERS}`);
}
