import { defineConfig } from "vitest/config";

export default defineConfig({
  // One VS Code for all, so one step after another; the first that fails explains the rest.
  // What VS Code itself loses now and then, a key or a lens, it does not lose twice; it is told.
  test: { fileParallelism: false, testTimeout: 60_000, hookTimeout: 90_000, bail: 1, retry: 1 },
});
