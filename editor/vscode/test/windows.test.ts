/** Several windows of one user, and several configs with one name in them. */

import { setImmediate } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { ATTESTATION_REJECTED, type ProviderStatus } from "../src/methods.js";

const createClient = vi.hoisted(() => vi.fn());
const showErrorMessage = vi.hoisted(() => vi.fn());

vi.mock("vscode", () => ({
  CancellationError: class extends Error {},
  EventEmitter: class<T> {
    private readonly listeners: ((event: T) => void)[] = [];
    readonly event = (listener: (event: T) => void) => {
      this.listeners.push(listener);
      return { dispose: () => undefined };
    };
    fire(event: T): void {
      for (const listener of this.listeners) {
        listener(event);
      }
    }
  },
  window: { showErrorMessage },
  workspace: { isTrusted: true },
}));
vi.mock("vscode-languageclient/node", () => ({ State: { Running: 2, Starting: 3 } }));
vi.mock("../src/client.js", () => ({
  createClient: (...args: unknown[]) => createClient(...args),
}));
vi.mock("../src/server/setup.js", () => ({
  findServer: async () => "/ratls-ls",
  complainOfStart: async () => false,
}));

test("a key that is stored in one window reaches the other before its index does", async () => {
  const { EventEmitter } = await import("vscode");
  const { Keys } = await import("../src/keys.js");
  const secrets = new Map<string, string>();
  const changed = new EventEmitter<{ key: string }>();
  const storage = {
    get: async (name: string) => secrets.get(name),
    store: async (name: string, value: string) => {
      secrets.set(name, value);
      changed.fire({ key: name });
    },
    delete: async (name: string) => {
      secrets.delete(name);
      changed.fire({ key: name });
    },
    onDidChange: changed.event,
  };
  const window = () => {
    const state = new Map<string, unknown>();
    const memento = {
      get: (name: string, other: unknown) => state.get(name) ?? other,
      update: async (name: string, value: unknown) => void state.set(name, value),
    };
    return new Keys(storage as never, memento as never);
  };
  const [one, other] = [window(), window()];
  const told = vi.fn();
  other.onDidChange(told);
  await one.store("MY_KEY", "secret");
  expect(told).toHaveBeenCalledTimes(1);
  expect(await other.environment()).toEqual({ MY_KEY: "secret" });
  await one.store("PATH", "/evil");
  expect(await other.environment()).toEqual({ MY_KEY: "secret" });
  await one.remove("MY_KEY");
  expect(await one.environment()).toEqual({});
  expect(await other.environment()).toEqual({});
});

test("a refusal offers the report of the very provider that it was about", async () => {
  const { reported } = await import("../src/failures.js");
  const about = { provider: "tee", uri: "file:///second.toml" } as ProviderStatus;
  const refusal = Object.assign(new Error("[fix](command:x)"), { code: ATTESTATION_REJECTED });
  const show = vi.fn();
  const parts = { output: { error: () => undefined }, report: { show } };
  showErrorMessage.mockResolvedValue("Show Report");
  await reported(parts as never, () => Promise.reject(refusal), about);
  await vi.waitFor(() => expect(show).toHaveBeenCalledWith(about));
  expect(showErrorMessage.mock.lastCall?.[0]).toBe("ratls: [fix] (command:x). Nothing was sent.");
});

test("a key that is stored elsewhere waits for the answer that is coming", async () => {
  const { Server } = await import("../src/server.js");
  const client = () => ({
    start: vi.fn(async () => undefined),
    dispose: vi.fn(async () => undefined),
    onDidChangeState: () => undefined,
  });
  const [first, second] = [client(), client()];
  createClient.mockReturnValueOnce(first).mockReturnValueOnce(second);
  const keys = { environment: async () => ({}) };
  const server = new Server({ extensionPath: "/" } as never, {} as never, keys as never);
  await server.start();
  // An answer that comes when all that can run until then has run.
  const asked = server.use(setImmediate().then(() => first.dispose.mock.calls.length));
  server.renew();
  expect(await asked).toBe(0);
  await vi.waitFor(() => expect(second.start).toHaveBeenCalledTimes(1));
  expect(first.dispose).toHaveBeenCalledTimes(1);
  await server.use(Promise.resolve());
  expect(createClient).toHaveBeenCalledTimes(2);
});

test("a server that does not start is not tried for ever: the next may be another program", async () => {
  const { Server } = await import("../src/server.js");
  const broken = { start: () => Promise.reject(new Error("no")), dispose: async () => undefined };
  const whole = { start: async () => undefined };
  createClient.mockReset();
  for (const each of [broken, whole]) {
    createClient.mockReturnValueOnce({ ...each, onDidChangeState: () => undefined });
  }
  const keys = { environment: async () => ({}) };
  const server = new Server({ extensionPath: "/" } as never, {} as never, keys as never);
  expect(await server.start()).toBeUndefined();
  expect(await server.start()).toBeDefined();
});
