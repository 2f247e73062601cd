/**
 * The custom methods of the language server, as `docs/protocol.md` tells of them.
 *
 * Invariant: a test in Python holds every name, value and field here to the server's own.
 */

export const ATTESTED_REQUEST = "attestedRequest";
export const ATTESTATION_STATUS = "attestationStatus";
export const ATTESTATION_STATUS_CHANGED = "attestationStatus/changed";

export const ATTEST_COMMAND = "ratls.attest";
export const PIN_MEASUREMENTS_COMMAND = "ratls.pinMeasurements";
export const CLEAR_CACHE_COMMAND = "ratls.clearCache";

export const INVALID_PARAMS = -32602;
export const REQUEST_CANCELLED = -32800;
export const ATTESTATION_REJECTED = -32010;
export const PROVIDER_NOT_ATTESTED = -32011;
export const INVALID_POLICY = -32012;
export const UNREACHABLE = -32013;
export const UNTRUSTED = -32014;
export const BROKEN_RESPONSE = -32015;

/** One request over an attested connection. At most one of the three bodies. */
export interface AttestedRequestParams {
  /** The id under `model_providers`. */
  provider: string;
  /** Under the provider's `base_url`, such as `/chat/completions`. */
  path: string;
  /** Which config; the user-level one by default. */
  uri?: string;
  /** POST by default where there is a body, else GET. */
  method?: string;
  headers?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  bodyText?: string;
  bodyBase64?: string;
  /** Of the whole request. */
  timeoutMs?: number;
  partialResultToken?: string | number;
}

export interface AttestationStatusParams {
  uri?: string;
  provider?: string;
  /** Attest now, and answer when that is done. */
  refresh?: boolean;
}

export interface AttestationStatusResult {
  providers: ProviderStatus[];
  /** The default providers that are in no table of their config, such as OpenAI. */
  defaults?: ProviderStatus[];
}

/** What comes of a streamed answer, in order: one head, then the rest. */
export type AttestedRequestPart = AttestedRequestHead | AttestedRequestEvent | AttestedRequestChunk;

export interface AttestedRequestHead {
  kind: "head";
  status: number;
  headers: [string, string][];
  attestation: AttestationResult;
}

export interface AttestedRequestEvent {
  kind: "event";
  event: string;
  data: string;
  id: string | null;
}

export interface AttestedRequestChunk {
  kind: "chunk";
  text?: string;
  base64?: string;
}

/** The whole answer. It has no body where that was streamed. */
export interface AttestedRequestResult {
  status: number;
  headers: [string, string][];
  body?: unknown;
  bodyText?: string;
  bodyBase64?: string;
  /** An answer that was cut is an error. */
  complete: true;
  attestation: AttestationResult;
  timings: RequestTimings;
}

/** In milliseconds. */
export interface RequestTimings {
  connectMs: number;
  attestMs: number;
  firstByteMs: number;
  totalMs: number;
  reusedConnection: boolean;
}

export type State =
  | "disabled"
  | "invalid"
  | "untrusted"
  | "unchecked"
  | "checking"
  | "affirmed"
  | "rejected"
  | "unreachable"
  | "stale";

export interface ProviderStatus {
  provider: string;
  uri: string;
  range: Range;
  state: State;
  /** Codex uses this provider unless told otherwise. Which one it is may change by itself. */
  default?: true;
  result?: AttestationResult;
  error?: { code: string; message: string };
  /** When the evidence came, RFC 3339. */
  checkedAt?: string;
}

export interface Range {
  start: { line: number; character: number };
  end: { line: number; character: number };
}

export type ClaimName =
  | "tls"
  | "quote-format"
  | "quote-signature"
  | "collateral"
  | "td-attributes"
  | "tcb-status"
  | "freshness"
  | "channel-binding"
  | "event-log"
  | "measurements";

export type ClaimVerdict = "passed" | "failed" | "not-reached" | "not-required";

export interface Claim {
  name: ClaimName;
  verdict: ClaimVerdict;
  expected?: string;
  actual?: string;
  reason?: string;
}

/** RFC 9334's attestation result. Times are RFC 3339, measurements lower-case hex. */
export interface AttestationResult {
  verdict: "affirmed" | "rejected";
  provider: string;
  origin: string;
  tee: "tdx";
  /** It rests on a root that somebody trusts for tests. */
  simulated: boolean;
  tcbStatus: string | null;
  advisoryIds: string[];
  channelBinding: "tls-exporter" | "certificate-log" | null;
  measurements: Record<string, string>;
  claims: Claim[];
  appraisedAt: string;
  collateralExpiresAt: string | null;
  tcbEvaluationDataNumber: number | null;
  evidenceSha256: string | null;
}
