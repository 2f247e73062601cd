/** When the server is started. */

import { beforeEach, expect, test, vi } from "vitest";
import type { ExtensionContext, TextDocument } from "vscode";

type Look = (event: never) => void;

const { heard, create } = vi.hoisted(() => ({
  heard: new Map<string, Look>(),
  create: vi.fn(() => ({
    session: { onDidChangeStatus: () => undefined, server: { start: () => undefined } },
  })),
}));

vi.mock("vscode", () => ({
  commands: { registerCommand: () => undefined },
  EventEmitter: class {},
  workspace: {
    textDocuments: [],
    getConfiguration: () => ({ inspect: () => undefined }),
    ...Object.fromEntries(
      ["onDidOpenTextDocument", "onDidSaveTextDocument", "onDidChangeTextDocument"].map((name) => [
        name,
        (look: Look) => heard.set(name, look),
      ]),
    ),
  },
}));
vi.mock("../src/extension.js", () => ({ create }));

/** A document, of which no more is asked than its language where that is enough. */
function document(isUntitled: boolean, text: string, languageId = "toml"): TextDocument {
  const fileName = isUntitled ? "Untitled-1" : "/p/other.toml";
  const getText = vi.fn(() => text);
  return { isUntitled, languageId, fileName, getText } as unknown as TextDocument;
}

beforeEach(async () => {
  create.mockClear();
  const { activate } = await import("../src/main.js");
  activate({ subscriptions: [] } as unknown as ExtensionContext);
});

function tell(event: string, value: unknown): void {
  heard.get(event)?.(value as never);
}

const CONFIG = "[model_providers.tee]\n";

test("a file that becomes a config is looked at when it is opened and saved", async () => {
  const typed = document(false, CONFIG);
  tell("onDidOpenTextDocument", document(false, ""));
  tell("onDidChangeTextDocument", { document: typed });
  // A keystroke in a file that is no config costs nothing.
  expect(typed.getText).not.toHaveBeenCalled();
  tell("onDidSaveTextDocument", typed);
  await vi.waitFor(() => expect(create).toHaveBeenCalledOnce());
});

test("an unnamed document is looked at as it is typed, for it may never be saved", async () => {
  for (const other of [document(true, "[project]"), document(true, CONFIG, "plaintext")]) {
    tell("onDidChangeTextDocument", { document: other });
  }
  tell("onDidOpenTextDocument", document(true, ""));
  await import("../src/extension.js"); // had it been wanted, it would be there by now
  await Promise.resolve();
  expect(create).not.toHaveBeenCalled();
  tell("onDidChangeTextDocument", { document: document(true, CONFIG) });
  await vi.waitFor(() => expect(create).toHaveBeenCalledOnce());
});
