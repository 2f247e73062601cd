/**
 * The attestation report of one provider as plain text: readable in any theme, by a screen reader
 * and in the ticket that it is pasted into. Pure.
 *
 * `syntaxes/report.tmLanguage.json` colours it by how its lines begin.
 */

import type { AttestationResult, Claim, ProviderStatus } from "../methods.js";
import { line, measurementName, moment, path } from "./text.js";
import { detail, failedClaims, isAttested, judge, reason, verdict } from "./words.js";

// Of the column of names, and of the sentences beside it.
const NAMES = 17;
const SENTENCES = 72;

export function report(status: ProviderStatus): string {
  const { word } = judge(status);
  const head = [
    title("Attestation report"),
    row("Provider", line(status.provider)),
    row("Verdict", word.toUpperCase()),
  ];
  const { result } = status;
  if (result?.simulated) {
    head.push(row("", "SIMULATED: rests on a root that is trusted for tests only"));
  }
  if (isAttested(status)) {
    head.push(row("Platform", "Intel TDX"));
  } else {
    const failed = failedClaims(status).map(({ name }) => line(name));
    if (failed.length > 0) {
      head.push(row("Failed", failed.join(", ")));
    }
    if (failed.length === 0 || status.state !== "rejected") {
      head.push(row("Why", reason(status)));
    }
  }
  const rest = result ? found(status, result) : [row("Config", path(status.uri))];
  return `${[...head, ...rest].join("\n")}\n`;
}

function found(status: ProviderStatus, result: AttestationResult): string[] {
  return [
    row("Origin", line(result.origin)),
    row("TCB status", line(result.tcbStatus ?? "unknown")),
    row("Advisories", result.advisoryIds.map(line).join(", ") || "none"),
    row("Channel binding", line(result.channelBinding ?? "none")),
    row("Evidence taken", moment(status.checkedAt)),
    row("Evidence SHA-256", line(result.evidenceSha256 ?? "none")),
    row("Appraised", moment(result.appraisedAt)),
    row("Collateral until", moment(result.collateralExpiresAt)),
    row("TCB evaluation", `data number ${result.tcbEvaluationDataNumber ?? "unknown"}`),
    row("Config", path(status.uri)),
    "",
    title("Claims"),
    ...result.claims.flatMap(claimLines),
    "",
    title("Measurements"),
    ...Object.entries(result.measurements).map(([name, value]) =>
      row(measurementName(name), line(value)),
    ),
  ];
}

function claimLines(claim: Claim): string[] {
  return [
    row(`${verdict(claim).mark} ${line(claim.name)}`, line(detail(claim))),
    ...(claim.expected ? [row("  expected", line(claim.expected))] : []),
    ...(claim.actual ? [row("  got", line(claim.actual))] : []),
  ];
}

function title(text: string): string {
  return `${text}\n${"─".repeat(text.length)}`;
}

function row(name: string, value: string): string {
  const [first = "", ...others] = wrapped(value);
  return [`${name.padEnd(NAMES)}  ${first}`, ...others.map((each) => " ".repeat(NAMES + 2) + each)]
    .map((each) => each.trimEnd())
    .join("\n");
}

/** Lines of whole words: a measurement, which is one, stays whole to be copied. */
function wrapped(text: string): string[] {
  const found: string[] = [];
  let last = "";
  for (const word of text.split(" ")) {
    if (last && last.length + word.length >= SENTENCES) {
      found.push(last);
      last = word;
    } else {
      last += last ? ` ${word}` : word;
    }
  }
  return [...found, last];
}
