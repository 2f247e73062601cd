/**
 * The tree "Attested Providers" as plain nodes: providers, their claims, and under the claim
 * `measurements` the values. Pure.
 */

import type { AttestationResult, Claim, ProviderStatus } from "../methods.js";
import { line } from "./text.js";
import { isAttested, judge, meaning, reason, type Tone, verdict } from "./words.js";

/** `context` is what menus look at; `spoken` what a screen reader says; `copy` the whole value. */
export interface TreeNode {
  id: string;
  label: string;
  description: string;
  tooltip: string;
  spoken: string;
  context: "provider" | "provider-affirmed" | "claim" | "value";
  icon?: string;
  tone: Tone;
  copy?: string;
  status?: ProviderStatus;
  children: TreeNode[];
}

const SHORT = 16;

/** Providers that no policy speaks of are left out. */
export function tree(statuses: readonly ProviderStatus[]): TreeNode[] {
  return statuses.filter((status) => status.state !== "disabled").map(provider);
}

function provider(status: ProviderStatus): TreeNode {
  const { icon, tone, word } = judge(status);
  const label = line(status.provider);
  const id = JSON.stringify([status.uri, status.provider]);
  return {
    id,
    label,
    description: word,
    tooltip: `${label}: ${word}\n${reason(status)}`,
    spoken: `${label}, ${word}. ${reason(status)}`,
    context: isAttested(status) ? "provider-affirmed" : "provider",
    icon,
    tone,
    status,
    children: status.result ? claims(status.result, id) : [],
  };
}

function claims(result: AttestationResult, parent: string): TreeNode[] {
  return result.claims.map((claim) => {
    const { icon, tone, word } = verdict(claim);
    const id = `${parent} ${claim.name}`;
    const label = line(claim.name);
    const said = detail(claim);
    return {
      id,
      label,
      description: said,
      tooltip: [`${label}: ${word}`, said, ...compared(claim)].join("\n"),
      spoken: [`${label} ${word}`, said, ...compared(claim)].join(", "),
      context: "claim",
      icon,
      tone,
      children: claim.name === "measurements" ? values(result, id) : [],
    };
  });
}

function values(result: AttestationResult, parent: string): TreeNode[] {
  return Object.entries(result.measurements).map(([name, value]) => ({
    id: `${parent} ${name}`,
    label: line(name),
    description: line(value.length > SHORT ? `${value.slice(0, SHORT)}…` : value),
    tooltip: line(value),
    spoken: `${line(name)}, ${line(value)}`,
    context: "value",
    tone: "neutral",
    copy: value,
    children: [],
  }));
}

function detail(claim: Claim): string {
  if (claim.verdict === "passed" || claim.verdict === "failed") {
    return line(claim.reason ?? (claim.verdict === "passed" ? meaning(claim) : "failed"));
  }
  return verdict(claim).word;
}

function compared(claim: Claim): string[] {
  return [
    ...(claim.expected ? [`expected ${line(claim.expected)}`] : []),
    ...(claim.actual ? [`got ${line(claim.actual)}`] : []),
  ];
}
