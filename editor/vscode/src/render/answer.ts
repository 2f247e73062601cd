/** A prompt as the body of a request, and the text in the parts of its answer. Pure. */

import type { AttestedRequestHead, AttestedRequestPart } from "../methods.js";
import { line, lines } from "./text.js";
import { facts } from "./words.js";

export type PromptApi = "chat/completions" | "responses";

export function requestBody(api: PromptApi, model: string, prompt: string): unknown {
  return api === "responses"
    ? { model, input: prompt, stream: true }
    : { model, messages: [{ role: "user", content: prompt }], stream: true };
}

/** The document before the answer comes: the prompt, quoted. */
export function heading(prompt: string): string {
  return `${lines(prompt)
    .split("\n")
    .map((each) => `> ${each}`.trimEnd())
    .join("\n")}\n\n`;
}

/**
 * The text that each part adds to the document, the parts taken in their order. A character or the
 * end of a line of which one part has the first half waits there for the second.
 */
export function additions(): (part: AttestedRequestPart) => string {
  let half = "";
  return (part) => {
    if (part.kind === "head") {
      return head(part);
    }
    const text = half + textOf(part);
    half = /[\ud800-\udbff\r]$/.exec(text)?.[0] ?? "";
    return lines(text.slice(0, text.length - half.length));
  };
}

function head({ status, attestation }: AttestedRequestHead): string {
  const failed = status >= 400 ? ` · HTTP ${status}` : "";
  return `Attested: ${facts(attestation)} · ${line(attestation.origin)}${failed}\n\n`;
}

function textOf(part: AttestedRequestPart): string {
  switch (part.kind) {
    case "event":
      return eventText(part.data);
    case "chunk":
      return part.text ?? "";
    default:
      return "";
  }
}

function eventText(data: string): string {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return ""; // the end mark of a chat completion
  }
  const event = value as {
    type?: unknown;
    delta?: unknown;
    choices?: { delta?: { content?: unknown } }[];
    error?: { message?: unknown };
  } | null;
  if (event?.type === "response.output_text.delta" && typeof event.delta === "string") {
    return event.delta;
  }
  const content = Array.isArray(event?.choices) ? event.choices[0]?.delta?.content : undefined;
  if (typeof content === "string") {
    return content;
  }
  const message = event?.error?.message;
  return typeof message === "string" ? `\n\nThe provider reports: ${message}\n` : "";
}

/** The ids in the answer to `GET /models`. */
export function modelIds(body: unknown): string[] {
  const listed = (body as { data?: unknown } | null)?.data;
  return Array.isArray(listed)
    ? listed
        .map((each) => (each as { id?: unknown } | null)?.id)
        .filter((id) => typeof id === "string")
    : [];
}
