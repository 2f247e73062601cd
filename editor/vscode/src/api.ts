/**
 * What `activate` returns to other extensions. The README tells how to use it.
 *
 * Invariant: within one version nothing is taken away and nothing changes its meaning.
 */

import type { CancellationToken, Event } from "vscode";
import type {
  AttestationStatusParams,
  AttestedRequestParams,
  AttestedRequestPart,
  AttestedRequestResult,
  ProviderStatus,
} from "./methods.js";

export const API_VERSION = 1;

export interface RatlsApi {
  readonly version: typeof API_VERSION;

  /**
   * Send one request over a connection that was attested under the provider's policy. With
   * `onPart` the answer is streamed. Cancelling `token` closes the connection at once.
   *
   * Rejects with an error that has `code` and `data` as `methods.ts` and the protocol tell. In a
   * workspace that is not trusted that is `UNTRUSTED`, and nothing is sent.
   */
  attestedRequest(
    params: Omit<AttestedRequestParams, "partialResultToken">,
    onPart?: (part: AttestedRequestPart) => void,
    token?: CancellationToken,
  ): Promise<AttestedRequestResult>;

  /** What is known of each provider in the open configs and the user-level one. */
  attestationStatus(params?: AttestationStatusParams): Promise<ProviderStatus[]>;

  readonly onDidChangeStatus: Event<ProviderStatus>;
}
