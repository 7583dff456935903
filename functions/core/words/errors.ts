/** Every error code with its status. The keys are the closed set of codes: no other is ever sent to a caller. */
export const statusByCode = {
  invalid_request: 400,
  invalid_subject: 400,
  subject_not_supported: 400,
  min_ttl_unsatisfiable: 400,
  forbidden: 403,
  proxy_not_allowed: 403,
  handout_disabled: 403,
  not_found: 404,
  unknown_connection: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  renewal_throttled: 429,
  internal: 500,
  upstream_credential_rejected: 502,
  reauthorization_required: 502,
  upstream_account_locked: 502,
  upstream_subject_rejected: 502,
  upstream_login_ambiguous: 502,
  upstream_request_rejected: 502,
  upstream_invalid_response: 502,
  upstream_token_unusable: 502,
  upstream_subject_mismatch: 502,
  upstream_redirect: 502,
  upstream_tls_invalid: 502,
  upstream_response_too_large: 502,
  login_limited: 503,
  upstream_throttled: 503,
  upstream_session_limit: 503,
  upstream_unavailable: 503,
  upstream_unreachable: 503,
  upstream_outcome_unknown: 503,
  cooldown: 503,
  refresh_in_progress: 503,
  secret_unavailable: 503,
  secret_invalid: 503,
  store_unavailable: 503,
  kms_unavailable: 503,
  mint_unavailable: 503,
  audit_unavailable: 503,
  upstream_timeout: 504,
  deadline_exceeded: 504,
} as const satisfies Record<string, number>;

export type BrokerErrorCode = keyof typeof statusByCode;

/** Reports whether `code` is one of the broker's codes, for values read back from the store or from a reply. */
export function isBrokerErrorCode(code: string): code is BrokerErrorCode {
  return Object.hasOwn(statusByCode, code);
}

export interface BrokerErrorOptions {
  /** Time until the next attempt can succeed, if known. */
  readonly retryAfterMs?: number | undefined;
  /** Code of the failure that began a cooldown. */
  readonly cause?: BrokerErrorCode | undefined;
  /** Methods of the route, with `method_not_allowed`. */
  readonly allow?: readonly string[];
}

/**
 * The only error class: a code, and a `detail` that says what was wrong and what to do. `detail` reaches the caller
 * word for word, so it never quotes a credential, a token or an upstream's body.
 */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly code: BrokerErrorCode;
  readonly detail: string;
  readonly retryAfterMs: number | undefined;
  readonly causeCode: BrokerErrorCode | undefined;
  readonly allow: readonly string[] | undefined;

  constructor(code: BrokerErrorCode, detail: string, options: BrokerErrorOptions = {}) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.retryAfterMs = options.retryAfterMs;
    this.causeCode = options.cause;
    this.allow = options.allow;
  }

  get status(): number {
    return statusByCode[this.code];
  }
}
