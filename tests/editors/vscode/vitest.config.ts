import { defineConfig } from "vitest/config";

export default defineConfig({
  // One VS Code for all, so one step after another; the first that fails explains the rest.
  test: { fileParallelism: false, testTimeout: 60_000, hookTimeout: 90_000, bail: 1 },
});
