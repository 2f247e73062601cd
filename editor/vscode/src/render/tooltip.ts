/** The tooltip of the status bar item, in Markdown. Pure. */

import type { ProviderStatus } from "../methods.js";
import { markdown, moment } from "./text.js";
import { judge, meaning, reason, verdict } from "./words.js";

export function tooltip(status: ProviderStatus, version: string | undefined): string {
  const { icon, word } = judge(status);
  const { result } = status;
  const blocks = [
    `**$(${icon}) ${markdown(status.provider)}: ${markdown(word)}**`,
    markdown(reason(status)),
  ];
  if (result) {
    const origin = result.origin ? `${markdown(result.origin)} · ` : "";
    blocks.push(`${origin}evidence of ${markdown(moment(status.checkedAt ?? result.appraisedAt))}`);
    const rows = result.claims.map(
      (claim) =>
        `| $(${verdict(claim).icon}) | ${markdown(claim.name)} | ${markdown(note(claim))} |`,
    );
    blocks.push(["| | | |", "|---|:---|:---|", ...rows].join("\n"));
  }
  blocks.push(`Select for actions${version ? ` · ratls-ls ${markdown(version)}` : ""}`);
  return blocks.join("\n\n");

  function note(claim: NonNullable<typeof result>["claims"][number]): string {
    switch (claim.verdict) {
      case "passed":
        return claim.reason ?? meaning(claim);
      case "failed":
        return claim.reason ?? "failed";
      default:
        return verdict(claim).word;
    }
  }
}
