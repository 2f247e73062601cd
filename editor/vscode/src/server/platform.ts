/** Where the language server runs. Pure. */

/** Why it cannot run there; undefined where it may. */
export function unsupported(platform: NodeJS.Platform): string | undefined {
  return platform === "win32"
    ? "The language server does not run on Windows. Open the folder in WSL, with this extension installed there."
    : undefined;
}
