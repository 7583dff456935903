/**
 * Every error code with its status and the `title` of its problem. The keys are the closed set of codes: nothing
 * outside this table is ever sent to a caller.
 */
export const errorCodes = {
  invalid_request: { status: 400, title: 'The request is malformed' },
  invalid_subject: { status: 400, title: 'Not a subject' },
  subject_not_supported: { status: 400, title: 'The connection does not serve this kind of subject' },
  min_ttl_unsatisfiable: { status: 400, title: 'No token lasts as long as asked for' },
  forbidden: { status: 403, title: 'Not allowed' },
  proxy_not_allowed: { status: 403, title: 'The proxy does not forward this' },
  handout_disabled: { status: 403, title: 'Tokens of this connection are not handed out' },
  not_found: { status: 404, title: 'No such route' },
  unknown_connection: { status: 404, title: 'No such connection' },
  method_not_allowed: { status: 405, title: 'The route does not have this method' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body is not JSON' },
  renewal_throttled: { status: 429, title: 'The token is too young to be renewed' },
  login_limited: { status: 429, title: "The provider's limit on tokens is reached" },
  internal: { status: 500, title: 'Something went wrong in the broker' },
  upstream_credential_rejected: { status: 502, title: 'The upstream refused the credential' },
  reauthorization_required: {
    status: 502,
    title: 'The upstream refused the refresh token: a person must consent again',
  },
  upstream_account_locked: { status: 502, title: 'The upstream says the account is locked' },
  upstream_subject_rejected: { status: 502, title: 'The upstream refused the subject' },
  upstream_login_ambiguous: { status: 502, title: 'The upstream failed at login, and may or may not have refused it' },
  upstream_request_rejected: { status: 502, title: 'The upstream says the request is wrong, not the credential' },
  upstream_invalid_response: { status: 502, title: 'The upstream answered something unusable' },
  upstream_token_unusable: { status: 502, title: 'The upstream issued a token that is at its end' },
  upstream_subject_mismatch: { status: 502, title: "The upstream issued somebody else's token" },
  upstream_redirect: { status: 502, title: 'The upstream answered with a redirect' },
  upstream_tls_invalid: { status: 502, title: "The upstream's certificate is not trusted" },
  upstream_response_too_large: { status: 502, title: 'The upstream answered too much' },
  upstream_throttled: { status: 503, title: 'The upstream asks to slow down' },
  upstream_session_limit: { status: 503, title: 'The account has as many sessions as it may have' },
  upstream_unavailable: { status: 503, title: 'The upstream is out of service' },
  upstream_unreachable: { status: 503, title: 'The upstream cannot be reached' },
  upstream_outcome_unknown: { status: 503, title: 'Whether the upstream counted the login is unknown' },
  cooldown: { status: 503, title: 'Waiting after an earlier failure' },
  refresh_in_progress: { status: 503, title: 'A token is being fetched' },
  secret_unavailable: { status: 503, title: 'The secret cannot be read' },
  secret_invalid: { status: 503, title: 'The secret has the wrong shape' },
  store_unavailable: { status: 503, title: 'The token store cannot be reached' },
  kms_unavailable: { status: 503, title: 'The key service cannot be reached' },
  mint_unavailable: { status: 503, title: 'The mint function cannot be invoked' },
  audit_unavailable: { status: 503, title: 'The hand-out could not be recorded' },
  upstream_timeout: { status: 504, title: 'The upstream did not answer in time' },
  deadline_exceeded: { status: 504, title: 'The time for this request is over' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;

export type BrokerErrorCode = keyof typeof errorCodes;

/** Reports whether `code` is one of the broker's codes, for values read back from the store or from a reply. */
export function isBrokerErrorCode(code: string): code is BrokerErrorCode {
  return Object.hasOwn(errorCodes, code);
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
    return errorCodes[this.code].status;
  }
}
