import type { APIGatewayProxyResult } from 'aws-lambda';
import { createJsonResponse } from '../api/json-response.ts';
import { toBrokerError } from '../api/problem.ts';
import type { BrokerError, BrokerErrorCode } from '../core/words/errors.ts';

/** `Retry-After` for failures of unknown duration. */
const RETRY_AFTER_MS = 2_000;

/** The codes of the token endpoint (RFC 6749 §5.2, RFC 8693 §2.2.2) with their status. */
const statusByError = {
  invalid_request: 400,
  invalid_target: 400,
  invalid_scope: 400,
  unsupported_grant_type: 400,
  temporarily_unavailable: 503,
  server_error: 500,
} as const satisfies Record<string, number>;

/** One of the codes above. */
export type ExchangeErrorCode = keyof typeof statusByError;

/** Codes that refuse the target of a request, beside those of status 403. */
const targetCodes: ReadonlySet<BrokerErrorCode> = new Set([
  'invalid_subject',
  'subject_not_supported',
  'min_ttl_unsatisfiable',
  'unknown_connection',
]);

/** Detail of every subject token that is not accepted: an outsider learns nothing of the reason. */
export const NOT_ACCEPTED = 'The subject token was not accepted.';
/** Detail where the issuer's keys cannot be had. */
export const NOT_VERIFIABLE = 'The subject token cannot be verified now.';

/**
 * The refusal of an exchange. `detail` reaches the caller word for word, so it quotes nothing of the subject token.
 * `reason` is for the log alone. `brokerError` is set where the broker's own code is more precise than OAuth's.
 */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  readonly error: ExchangeErrorCode;
  readonly detail: string;
  readonly retryAfterMs: number | undefined;
  readonly brokerError: BrokerError | undefined;
  readonly reason: string | undefined;

  constructor(
    error: ExchangeErrorCode,
    detail: string,
    options: {
      readonly retryAfterMs?: number | undefined;
      readonly brokerError?: BrokerError;
      readonly reason?: string;
    } = {},
  ) {
    super(`${error}: ${detail}`);
    this.error = error;
    this.detail = detail;
    this.retryAfterMs = options.retryAfterMs;
    this.brokerError = options.brokerError;
    this.reason = options.reason;
  }

  /** The status that RFC 6749 §5.2 gives; 413 and 415 where the request was not read at all. */
  get status(): number {
    const unread = this.brokerError?.status;
    return unread === 413 || unread === 415 ? unread : statusByError[this.error];
  }
}

/** Turns whatever was thrown into an `ExchangeError`; of what is unforeseen nothing is kept. */
export function toExchangeError(error: unknown): ExchangeError {
  if (error instanceof ExchangeError) return error;
  const brokerError = toBrokerError(error);
  const { detail, retryAfterMs } = brokerError;
  return new ExchangeError(toOauthCode(brokerError), detail, { retryAfterMs, brokerError });
}

function toOauthCode({ code, status }: BrokerError): ExchangeErrorCode {
  if (status === 500) return 'server_error';
  if (status === 429 || status > 500) return 'temporarily_unavailable';
  return status === 403 || targetCodes.has(code) ? 'invalid_target' : 'invalid_request';
}

/**
 * The answer of RFC 6749 §5.2: `error` and `error_description`; and beside them `code`, the broker's own, with its
 * `cause` in a cooldown, and `request_id`. A 503 always has `Retry-After`, in whole seconds.
 */
export function createExchangeErrorResponse(error: ExchangeError, requestId: string): APIGatewayProxyResult {
  const { brokerError, detail, status } = error;
  const response = createJsonResponse(status, {
    error: error.error,
    error_description: describable(detail),
    ...(brokerError === undefined ? {} : { code: brokerError.code }),
    ...(brokerError?.causeCode === undefined ? {} : { cause: brokerError.causeCode }),
    request_id: requestId,
  });
  if (status !== 503) return response;
  const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? RETRY_AFTER_MS) / 1000));
  return { ...response, headers: { ...response.headers, 'retry-after': String(seconds) } };
}

/** `error_description` is printable ASCII without `"` and `\` (RFC 6749 §5.2). */
function describable(detail: string): string {
  return detail.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?');
}
