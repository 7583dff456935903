/**
 * Kind of a failure: `problem` an error that the broker or its API answered; `gateway` an answer of whatever
 * stands before them; `network`, `timeout` no answer; `invalid_answer` an answer that is none of
 * the broker's; `credentials` nothing to sign with; `usage` a mistake in the call, found before anything was sent.
 */
export type TokenBrokerErrorKind =
  | 'problem'
  | 'gateway'
  | 'network'
  | 'timeout'
  | 'invalid_answer'
  | 'credentials'
  | 'usage';

/** Facts of a `TokenBrokerError` beside its kind and detail. */
export interface TokenBrokerErrorOptions {
  /** The broker's code if it answered one; otherwise the kind. */
  readonly code?: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
  /** In a cooldown: the code of the failure that began it. */
  readonly causeCode?: string;
}

/**
 * The only error that the client throws. Branch on `code`: one of the broker's codes, or else the kind. Neither message
 * nor properties ever hold a token, a credential or the body of an answer; an underlying error is described, not kept.
 *
 * @example
 * if (error instanceof TokenBrokerError && error.retryAfterMs !== undefined) await sleep(error.retryAfterMs);
 */
export class TokenBrokerError extends Error {
  override readonly name = 'TokenBrokerError';
  readonly kind: TokenBrokerErrorKind;
  readonly code: string;
  /** Description of the failure and its remedy. */
  readonly detail: string;
  /** The HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** Time until a retry can help; undefined where that is unknown. */
  readonly retryAfterMs: number | undefined;
  /** Id of the request in the broker's logs. */
  readonly requestId: string | undefined;
  readonly causeCode: string | undefined;

  constructor(kind: TokenBrokerErrorKind, detail: string, options: TokenBrokerErrorOptions = {}) {
    const code = options.code ?? kind;
    super(`${code}: ${detail}`);
    this.kind = kind;
    this.code = code;
    this.detail = detail;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.requestId = options.requestId;
    this.causeCode = options.causeCode;
  }
}
