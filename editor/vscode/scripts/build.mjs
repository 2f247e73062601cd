/** Bundles the extension into out/, with the language server's wheel and TOML's grammar beside it. */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL("..", import.meta.url));
const root = fileURLToPath(new URL("../../..", import.meta.url));

rmSync(`${here}out`, { recursive: true, force: true });

/** @type {import("esbuild").BuildOptions & { metafile: true }} */
const options = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  minify: true,
  absWorkingDir: here,
  metafile: true,
};
// What is loaded with every TOML file stays small: the rest is a bundle of its own.
const main = await build({
  ...options,
  entryPoints: ["src/main.ts"],
  outfile: "out/main.js",
  external: ["vscode", "./extension.js"],
});
const extension = await build({
  ...options,
  entryPoints: ["src/extension.ts"],
  outfile: "out/extension.js",
  external: ["vscode"],
});

mkdirSync(`${here}out/server`, { recursive: true });
const python = process.env.RATLS_PYTHON ?? `${root}.venv/bin/python`;
execFileSync(python, ["-m", "build", "--wheel", "--outdir", `${here}out/server`, root], {
  stdio: ["ignore", "ignore", "inherit"],
});
for (const name of readdirSync(`${here}out/server`)) {
  if (!name.endsWith(".whl")) {
    rmSync(`${here}out/server/${name}`);
  }
}
// VS Code itself colours no TOML.
const grammar = fileURLToPath(import.meta.resolve("tm-grammars/grammars/toml.json"));
copyFileSync(grammar, `${here}out/toml.tmLanguage.json`);
for (const name of ["LICENSE", "CHANGELOG.md"]) {
  copyFileSync(root + name, here + name);
}

// What is bundled keeps its licences, which go with it; `make audit` and `make sbom` know it as `dependencies`.
const locked = JSON.parse(readFileSync(`${here}package-lock.json`, "utf8")).packages;
const inputs = [main, extension].flatMap(({ metafile }) => Object.keys(metafile.inputs));
const bundled = inputs.map(
  (input) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(input)?.[1],
);
const notices = [...new Set([...bundled, "tm-grammars"])]
  .filter((name) => name !== undefined)
  .sort()
  .map((name) => {
    if (locked[`node_modules/${name}`].dev) {
      throw new Error(`${name} is bundled, so it belongs into the dependencies`);
    }
    const folder = `${here}node_modules/${name}/`;
    const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    if (licence === undefined) {
      throw new Error(`${name} comes without a licence`);
    }
    return `${name}\n\n${readFileSync(folder + licence, "utf8")}`;
  });
writeFileSync(`${here}out/NOTICES.txt`, notices.join(`\n${"-".repeat(80)}\n\n`));
