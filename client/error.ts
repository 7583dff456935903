/**
 * What kind of failure it is: `problem` an error that the broker answered; `gateway` an answer of API Gateway itself,
 * or of whatever stands before the broker; `network`, `timeout` no answer; `invalid_answer` an answer that is none of
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

export interface TokenBrokerErrorOptions {
  /** The broker's code where it answered one; the kind otherwise. */
  readonly code?: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly requestId?: string;
  /** In a cooldown: the code of the failure that began it. */
  readonly causeCode?: string;
}

/**
 * The one error of the client. `code` is what to branch on: one of the broker's codes, or the kind for all else.
 * Neither message nor properties ever hold a token, a credential or the body of an answer; the error of a library
 * underneath is told in words and not kept.
 */
export class TokenBrokerError extends Error {
  override readonly name = 'TokenBrokerError';
  readonly kind: TokenBrokerErrorKind;
  readonly code: string;
  /** What was wrong, and what to do. */
  readonly detail: string;
  /** The HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** How long until asking again can help; undefined where that is unknown. */
  readonly retryAfterMs: number | undefined;
  /** By which the broker's logs know the request. */
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
