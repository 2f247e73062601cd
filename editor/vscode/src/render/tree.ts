/**
 * The tree "Attested Providers" as plain nodes: providers, their claims, and under the claim
 * `measurements` the values. Pure.
 */

import type { AttestationResult, Claim, ProviderStatus } from "../methods.js";
import { line, measurementName, path, plain } from "./text.js";
import { detail, isAttested, judge, reason, spoken, type Tone, verdict } from "./words.js";

/** `context` is what menus look at; `spoken` what a screen reader says; `copy` all of it, as text. */
export interface TreeNode {
  id: string;
  label: string;
  description: string;
  tooltip: string;
  spoken: string;
  context: "provider" | "provider-affirmed" | "claim" | "value";
  icon: string;
  tone: Tone;
  copy: string;
  status?: ProviderStatus;
  children: TreeNode[];
}

const SHORT = 16;

/** Providers that no policy speaks of are left out. */
export function tree(statuses: readonly ProviderStatus[]): TreeNode[] {
  const shown = statuses.filter((status) => status.state !== "disabled");
  return shown.map((status) => {
    const others = shown.filter((each) => each.provider === status.provider && each !== status);
    return provider(status, others.length > 0 ? tail(status.uri, others) : undefined);
  });
}

/** `where`: its config, if there is another provider of that name. */
function provider(status: ProviderStatus, where: string | undefined): TreeNode {
  const { icon, tone, word } = judge(status);
  const label = plain(status.provider);
  const id = JSON.stringify([status.uri, status.provider]);
  const told = `${line(status.provider)}: ${word}\n${reason(status)}`;
  return {
    id,
    label,
    description: where ? `${word} · ${plain(where)}` : word,
    tooltip: `${told}\n${path(status.uri)}`,
    spoken: where ? `${spoken(status)} In ${where}` : spoken(status),
    context: isAttested(status) ? "provider-affirmed" : "provider",
    icon,
    tone,
    copy: told,
    status,
    children: status.result ? claims(status.result, id) : [],
  };
}

/** The end of a path, as long as it has to be to tell it from those of the others. */
function tail(uri: string, others: readonly ProviderStatus[]): string {
  const segments = path(uri).split("/");
  const paths = others.map((other) => path(other.uri));
  const ends = segments.map((_, index) => segments.slice(-1 - index).join("/"));
  return ends.find((end) => !paths.some((each) => each.endsWith(`/${end}`))) ?? path(uri);
}

function claims(result: AttestationResult, parent: string): TreeNode[] {
  return result.claims.map((claim) => {
    const { icon, tone, word } = verdict(claim);
    const id = `${parent} ${claim.name}`;
    const label = line(claim.name);
    const said = line(detail(claim));
    const told = [`${label}: ${word}`, ...(said === word ? [] : [said]), ...compared(claim)];
    return {
      id,
      label,
      description: plain(said),
      tooltip: told.join("\n"),
      spoken: `Claim ${told.join(", ")}`,
      context: "claim",
      icon,
      tone,
      copy: told.join("\n"),
      children: claim.name === "measurements" ? values(result, id) : [],
    };
  });
}

function values(result: AttestationResult, parent: string): TreeNode[] {
  return Object.entries(result.measurements).map(([name, value]) => {
    const label = measurementName(name);
    const begin = line(value.slice(0, SHORT));
    const cut = value.length > SHORT;
    return {
      id: `${parent} ${name}`,
      label,
      description: cut ? `${begin}…` : begin,
      tooltip: line(value),
      // Nobody can listen to 96 digits; to compare them is what copying is for.
      spoken: `Measurement ${label}: ${cut ? `begins with ${begin}` : begin}`,
      context: "value",
      icon: "symbol-numeric",
      tone: "neutral",
      copy: line(value),
      children: [],
    };
  });
}

function compared(claim: Claim): string[] {
  return [
    ...(claim.expected ? [`expected ${line(claim.expected)}`] : []),
    ...(claim.actual ? [`got ${line(claim.actual)}`] : []),
  ];
}
