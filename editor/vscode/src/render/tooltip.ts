/** The tooltip of the status bar item, in Markdown. Pure. */

import type { Claim, ProviderStatus } from "../methods.js";
import { markdown, moment, path } from "./text.js";
import { detail, judge, reason, verdict } from "./words.js";

export function tooltip(status: ProviderStatus, version: string | undefined): string {
  const { icon, word } = judge(status);
  const { result } = status;
  const blocks = [`**$(${icon}) ${markdown(status.provider)}: ${markdown(word)}**`];
  // Of a refusal the claims say why.
  if (status.state !== "rejected" || !result) {
    blocks.push(markdown(reason(status)));
  }
  if (result) {
    blocks.push(
      `${markdown(result.origin)} · evidence of ${markdown(moment(status.checkedAt ?? result.appraisedAt))}`,
    );
    blocks.push(["| | | |", "|---|:---|:---|", ...result.claims.map(row)].join("\n"));
  }
  blocks.push(`Default provider of ${markdown(path(status.uri))}`);
  blocks.push(`Select for actions${version ? ` · ratls-ls ${markdown(version)}` : ""}`);
  return blocks.join("\n\n");
}

/** One that failed stands out among many that passed. */
function row(claim: Claim): string {
  const strong = claim.verdict === "failed" ? "**" : "";
  // With hyphens at which no line breaks.
  const name = `${strong}${markdown(claim.name.replaceAll("-", "\u2011"))}${strong}`;
  return `| $(${verdict(claim).icon}) | ${name} | ${markdown(detail(claim))} |`;
}
