/**
 * The attestation report of one provider as plain text: readable in any theme, by a screen reader
 * and in the ticket that it is pasted into. Pure.
 */

import type { AttestationResult, Claim, ProviderStatus } from "../methods.js";
import { line, moment } from "./text.js";
import { isAttested, judge, meaning, reason, verdict } from "./words.js";

const WIDTH = 17;

export function report(status: ProviderStatus): string {
  const { word } = judge(status);
  const head = [
    title("Attestation report"),
    row("Provider", line(status.provider)),
    row("Verdict", word.toUpperCase()),
    row(isAttested(status) ? "Platform" : "Why", reason(status)),
  ];
  if (status.result?.simulated) {
    head.push(row("", "SIMULATED: rests on a root that is trusted for tests only"));
  }
  const { result } = status;
  return `${[...head, ...(result ? found(status, result) : [row("Config", path(status.uri))])].join("\n")}\n`;
}

function found(status: ProviderStatus, result: AttestationResult): string[] {
  return [
    row("Origin", line(result.origin ?? "none")),
    row("TCB status", line(result.tcbStatus ?? "unknown")),
    row("Advisories", result.advisoryIds.map(line).join(", ") || "none"),
    row("Channel binding", line(result.channelBinding ?? "none")),
    row("Evidence of", moment(status.checkedAt)),
    row("Evidence SHA-256", line(result.evidenceSha256 ?? "none")),
    row("Appraised", moment(result.appraisedAt)),
    row("Collateral until", moment(result.collateralExpiresAt)),
    row("TCB evaluation", String(result.tcbEvaluationDataNumber ?? "unknown")),
    row("Config", path(status.uri)),
    "",
    title("Claims"),
    ...result.claims.flatMap(claimLines),
    "",
    title("Measurements"),
    ...Object.entries(result.measurements).map(([name, value]) => row(line(name), line(value))),
  ];
}

function claimLines(claim: Claim): string[] {
  const { mark, word } = verdict(claim);
  const said = claim.reason ?? (claim.verdict === "passed" ? meaning(claim) : word);
  return [
    `${mark} ${row(line(claim.name), line(said), WIDTH - 2)}`,
    ...(claim.expected ? [row("  expected", line(claim.expected))] : []),
    ...(claim.actual ? [row("  got", line(claim.actual))] : []),
  ];
}

function title(text: string): string {
  return `${text}\n${"─".repeat(text.length)}`;
}

function row(name: string, value: string, width = WIDTH): string {
  return `${name.padEnd(width)} ${value}`.trimEnd();
}

function path(uri: string): string {
  try {
    const url = new URL(uri);
    return line(url.protocol === "file:" ? decodeURIComponent(url.pathname) : uri);
  } catch {
    return line(uri);
  }
}
