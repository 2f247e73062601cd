import { expect, test, vi } from "vitest";
import { withoutBodies } from "../src/trace.js";

const BODY = '{"provider":"tee","body":{"input":"a secret prompt"}}';

function traced(message: string): string[] {
  const lines: string[] = [];
  const output = { logLevel: 1, trace: (text: string) => lines.push(text) };
  const channel = withoutBodies(output as never);
  channel.trace(message);
  expect(channel.logLevel).toBe(1);
  return lines;
}

test("that there was a message is traced, and nothing of it", () => {
  const sent = "Sending request 'attestedRequest - (3)'.";
  expect(traced(`${sent}\nParams: ${BODY}`)).toEqual([sent]);
  expect(traced(JSON.stringify({ type: "send-request", message: BODY }))).toEqual([]);
  expect(traced(JSON.stringify([BODY]))).toEqual([]);
});

test("the client traces through it, and shows no link of the server's", async () => {
  const made: { traceOutputChannel?: { trace(text: string): void } }[] = [];
  const showErrorMessage = vi.fn();
  vi.doMock("vscode", () => ({
    window: { showErrorMessage },
    workspace: { isTrusted: true, getConfiguration: () => ({ inspect: () => undefined }) },
  }));
  vi.doMock("vscode-languageclient/node", () => ({
    DidChangeConfigurationNotification: {},
    RevealOutputChannelOn: {},
    TransportKind: {},
    MessageType: { Error: 1, Warning: 2 },
    ShowMessageNotification: { type: "window/showMessage" },
    LanguageClient: class {
      onNotification(_type: string, handler: (params: object) => void) {
        handler({ type: 1, message: "[fix](command:x)" });
      }

      constructor(_id: string, _name: string, _server: object, options: object) {
        made.push(options);
      }
    },
  }));
  const lines: string[] = [];
  const { createClient } = await import("../src/client.js");
  const output = { trace: (text: string) => lines.push(text) };
  createClient({ program: "/x", cwd: "/", keys: {} }, output as never);
  made[0]?.traceOutputChannel?.trace(BODY);
  expect(made).toHaveLength(1);
  expect(lines).toEqual([]);
  expect(showErrorMessage).toHaveBeenCalledWith("[fix] (command:x)");
});
