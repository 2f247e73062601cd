/** Several windows of one user, and several configs with one name in them. */

import { expect, test, vi } from "vitest";
import { ATTESTATION_REJECTED, type ProviderStatus } from "../src/methods.js";

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
