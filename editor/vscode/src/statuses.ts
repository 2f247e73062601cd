/** What the server told of the providers, and which of them the status bar speaks of. Pure. */

import type { ProviderStatus } from "./methods.js";
import { isAttested } from "./render/words.js";

export class Statuses {
  private known: ProviderStatus[] = [];

  get all(): readonly ProviderStatus[] {
    return this.known;
  }

  get(uri: string, provider: string): ProviderStatus | undefined {
    return this.known.find((each) => each.uri === uri && each.provider === provider);
  }

  replace(statuses: readonly ProviderStatus[]): void {
    this.known = [...statuses];
  }

  /** Take in one status, in the place of what was known of the same provider. */
  update(status: ProviderStatus): void {
    const index = this.known.findIndex(
      (each) => each.uri === status.uri && each.provider === status.provider,
    );
    this.known.splice(index < 0 ? this.known.length : index, index < 0 ? 0 : 1, status);
  }
}

/**
 * The one that matters now: the default provider of the first of these configs that has one; if
 * none has, that of another config, rather one that is not attested. Never a provider that Codex
 * does not use by default, however well attested.
 */
export function foremost(
  statuses: readonly ProviderStatus[],
  configs: readonly (string | undefined)[],
): ProviderStatus | undefined {
  const defaults = statuses.filter((each) => each.default);
  return (
    configs.map((uri) => defaults.find((each) => each.uri === uri)).find(Boolean) ??
    defaults.find((each) => !isAttested(each)) ??
    defaults[0]
  );
}
