/**
 * One prompt over attested TLS, its answer streamed into a document.
 *
 * Invariant: prompt and answer go to the server and into that document, and nowhere else.
 */

import { CancellationTokenSource, window } from "vscode";
import { cancellable } from "./cancellable.js";
import type { ProviderStatus } from "./methods.js";
import type { Parts } from "./parts.js";
import { additions, heading, modelIds, type PromptApi, requestBody } from "./render/answer.js";
import { line, path, plain } from "./render/text.js";
import { text } from "./settings.js";

const MODEL = "model";

export async function sendPrompt(parts: Parts, { uri, provider }: ProviderStatus): Promise<void> {
  const { session, answers, state } = parts;
  const model = await askModel(parts, uri, provider);
  const prompt = model ? await askPrompt(uri, provider) : undefined;
  if (!model || !prompt) {
    return;
  }
  await state.update(`${MODEL}.${provider}`, model);
  const api: PromptApi = text("prompt.api") === "responses" ? "responses" : "chat/completions";
  const answer = await answers.open(provider, heading(prompt));
  const { cancellation } = answer;
  const addition = additions();
  try {
    await cancellable(
      `Asking ${plain(provider)} over attested TLS`,
      cancellation,
      session.request(
        { provider, uri, path: `/${api}`, body: requestBody(api, model, prompt) },
        (part) => answer.append(addition(part)),
        cancellation.token,
      ),
    );
    answer.append("\n");
  } catch (error) {
    if (cancellation.token.isCancellationRequested) {
      answer.append("\n\nCancelled; the connection is closed.\n");
      return;
    }
    const why = line(error instanceof Error ? error.message : String(error));
    answer.append(`\n\nNo answer: ${why}\n`);
    throw error;
  }
}

async function askModel(
  { session, state }: Parts,
  uri: string,
  provider: string,
): Promise<string | undefined> {
  const before = state.get<string>(`${MODEL}.${provider}`);
  // This attests too: nobody is to write a prompt for a provider that is then refused. Not every
  // server lists its models; where it does not, the user types one.
  const cancellation = new CancellationTokenSource();
  const { status, body } = await cancellable(
    `Attesting ${plain(provider)}`,
    cancellation,
    session.request({ provider, uri, path: "/models" }, undefined, cancellation.token),
  );
  const listed = status === 200 ? modelIds(body) : [];
  const title = `Model of ${plain(provider)}`;
  if (listed.length > 1) {
    const first = listed.filter((id) => id === before);
    const others = listed.filter((id) => id !== before);
    const items = [...first, ...others].map((id) => ({ label: plain(id), id }));
    return (await window.showQuickPick(items, { title }))?.id;
  }
  return listed[0] ?? (await window.showInputBox({ title, value: before ?? "" }));
}

/** The selection, if the user says that it is meant; else what the user types. */
async function askPrompt(uri: string, provider: string): Promise<string | undefined> {
  const editor = window.activeTextEditor;
  const selected = editor?.document.getText(editor.selection) ?? "";
  const title = `Prompt for ${plain(provider)}`;
  const condition = `Sent only if the connection attests under the policy in ${plain(path(uri))}.`;
  if (selected.trim()) {
    const send = { label: "Send the selection", detail: plain(selected) };
    const write = { label: "Write a prompt" };
    const options = { title, placeHolder: condition, ignoreFocusOut: true };
    const chosen = await window.showQuickPick([send, write], options);
    if (chosen !== write) {
      return chosen && selected;
    }
  }
  return await window.showInputBox({
    title,
    prompt: condition,
    ignoreFocusOut: true,
  });
}
