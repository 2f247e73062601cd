/**
 * A status in words: one for the status bar, one sentence that says why. Pure.
 *
 * Invariant: "attested" is said of nothing but a status that is affirmed by a result that is, of
 * any other "not attested" or "last attested" and when; a simulated result is never said without
 * SIMULATED.
 */

import type {
  AttestationResult,
  Claim,
  ClaimName,
  ClaimVerdict,
  ProviderStatus,
} from "../methods.js";
import { line, moment, plain } from "./text.js";

export type Tone = "good" | "warning" | "bad" | "neutral";

/** `icon`: the name of a codicon. */
interface Judgement {
  word: string;
  icon: string;
  tone: Tone;
}

const UNKNOWN = "workspace-unknown";
const SEPARATOR = " · ";
const NAME_LENGTH = 40;

export const UNTRUSTED = "This folder is not trusted, so nothing is contacted.";

export function judge(status: ProviderStatus): Judgement {
  const { result } = status;
  const simulated = result?.simulated ? " (SIMULATED)" : "";
  if (isAttested(status)) {
    const degraded = isDegraded(status.result);
    return {
      word: `attested${degraded && status.result.tcbStatus !== "UpToDate" ? `: ${line(status.result.tcbStatus ?? "?")}` : ""}${simulated}`,
      icon: "workspace-trusted",
      tone: degraded ? "warning" : "good",
    };
  }
  switch (status.state) {
    case "rejected":
      return { word: `rejected${simulated}`, icon: "workspace-untrusted", tone: "bad" };
    case "checking":
      return { word: "checking", icon: UNKNOWN, tone: "neutral" };
    case "unreachable":
      return { word: "not attested", icon: UNKNOWN, tone: "warning" };
    default:
      return { word: "not attested", icon: UNKNOWN, tone: "neutral" };
  }
}

/** Whose status it is, and how it stands: what an item has room for, in which `$(` is no icon. */
export function label(status: ProviderStatus): string {
  const name = [...line(status.provider)];
  const short = name.slice(0, NAME_LENGTH).join("") + (name.length > NAME_LENGTH ? "…" : "");
  return `${plain(short)}: ${plain(judge(status).word)}`;
}

/** One sentence, or a line of facts. */
export function reason(status: ProviderStatus): string {
  if (isAttested(status)) {
    return facts(status.result);
  }
  switch (status.state) {
    case "rejected": {
      const failed = failedClaims(status);
      return failed.length > 0
        ? failed.map(claimSentence).join(" ")
        : "Not every claim could be judged.";
    }
    case "checking":
      return "Fresh evidence is being fetched and appraised.";
    case "unreachable":
      return sentence(status.error?.message ?? "It could not be reached");
    case "untrusted":
      return UNTRUSTED;
    case "unchecked":
      return "Not attested yet.";
    case "stale":
      return sentence(
        status.error
          ? `${last(status)}; that could not be renewed: ${status.error.message}`
          : `${last(status)}, which is too long ago to rely on`,
      );
    case "invalid":
      return "Its configuration has errors, so nothing is contacted.";
    case "disabled":
      return status.default
        ? "Codex uses it by default, over plain TLS: it has no use_ratls = true."
        : "use_ratls is not true, so Codex reaches it over plain TLS.";
    default:
      return "The language server says nothing that can be relied on.";
  }
}

function last({ result, checkedAt }: ProviderStatus): string {
  const verdict = result?.verdict === "affirmed" ? "attested" : "rejected";
  return `Last ${verdict}${result?.simulated ? " (SIMULATED)" : ""} ${moment(checkedAt)}`;
}

export function failedClaims({ result }: ProviderStatus): Claim[] {
  return result?.claims.filter((claim) => claim.verdict === "failed") ?? [];
}

/** What a screen reader says of it. */
export function spoken(status: ProviderStatus): string {
  const why = reason(status).replaceAll(SEPARATOR, ", ");
  return `Provider ${line(status.provider)}: ${judge(status).word}. ${why}`;
}

/** Whether this is one that a prompt may be sent to: attested, or to be attested on the way. */
export function isUsable(status: ProviderStatus): boolean {
  return status.state !== "disabled" && status.state !== "invalid";
}

export function isAttested(
  status: ProviderStatus,
): status is ProviderStatus & { result: AttestationResult } {
  return status.state === "affirmed" && status.result?.verdict === "affirmed";
}

function isDegraded(result: AttestationResult): boolean {
  return result.tcbStatus !== "UpToDate" || result.advisoryIds.length > 0;
}

const MEANINGS: Record<ClaimName, string> = {
  tls: "TLS 1.3, certificate and host name",
  "quote-format": "a TDX quote, whole and well-formed",
  "quote-signature": "chains up to the trusted root",
  collateral: "signed and current",
  "td-attributes": "no debugging, no migration",
  "tcb-status": "firmware that the policy accepts",
  freshness: "made now, for this very nonce",
  "channel-binding": "made for this very connection",
  "event-log": "replays to the measured registers",
  measurements: "the software that the policy pins",
};

/** What there is to say of a claim besides its name and verdict. */
export function detail(claim: Claim): string {
  switch (claim.verdict) {
    case "passed":
      return claim.reason ?? MEANINGS[claim.name] ?? "";
    case "failed":
      return claim.reason ?? "failed";
    default:
      return verdict(claim).word;
  }
}

const VERDICTS: Record<ClaimVerdict, { word: string; mark: string; icon: string; tone: Tone }> = {
  passed: { word: "passed", mark: "✓", icon: "pass", tone: "good" },
  failed: { word: "failed", mark: "✗", icon: "error", tone: "bad" },
  "not-reached": { word: "not reached", mark: "·", icon: "circle-slash", tone: "neutral" },
  "not-required": { word: "not required", mark: "–", icon: "dash", tone: "neutral" },
};

export function verdict(claim: Claim): { word: string; mark: string; icon: string; tone: Tone } {
  return VERDICTS[claim.verdict] ?? VERDICTS["not-reached"];
}

export function facts(result: AttestationResult): string {
  const found = [
    `${result.simulated ? "SIMULATED" : "Genuine"} Intel TDX`,
    `TCB ${line(result.tcbStatus ?? "unknown")}`,
    ...result.advisoryIds.map(line),
  ];
  if (result.channelBinding) {
    found.push(`bound by ${line(result.channelBinding)}`);
  }
  return found.join(SEPARATOR);
}

function claimSentence(claim: Claim): string {
  return sentence(`${claim.name}: ${claim.reason ?? "failed"}`);
}

function sentence(text: string): string {
  const shown = line(text);
  return /[.!?…]$/.test(shown) ? shown : `${shown}.`;
}
