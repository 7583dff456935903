import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { Connection } from '../core/slot/connection.ts';
import { BrokerError, type BrokerErrorCode } from '../core/words/errors.ts';

/** What each error code is called: the `title` of its problem. */
export const titleByCode = {
  invalid_request: 'The request is malformed',
  invalid_subject: 'Not a subject',
  subject_not_supported: 'The connection does not serve this kind of subject',
  min_ttl_unsatisfiable: 'No token lasts as long as asked for',
  forbidden: 'Not allowed',
  proxy_not_allowed: 'The proxy does not forward this',
  handout_disabled: 'Tokens of this connection are not handed out',
  not_found: 'No such route',
  unknown_connection: 'No such connection',
  method_not_allowed: 'The route does not have this method',
  payload_too_large: 'The body is too large',
  unsupported_media_type: 'The body is not JSON',
  renewal_throttled: 'The token is too young to be renewed',
  internal: 'Something went wrong in the broker',
  upstream_credential_rejected: 'The upstream refused the credential',
  upstream_account_locked: 'The upstream says the account is locked',
  upstream_subject_rejected: 'The upstream refused the subject',
  upstream_login_ambiguous: 'The upstream failed at login, and may or may not have refused it',
  upstream_invalid_response: 'The upstream answered something unusable',
  upstream_token_unusable: 'The upstream issued a token that is at its end',
  upstream_subject_mismatch: "The upstream issued somebody else's token",
  upstream_redirect: 'The upstream answered with a redirect',
  upstream_tls_invalid: "The upstream's certificate is not trusted",
  upstream_response_too_large: 'The upstream answered too much',
  upstream_throttled: 'The upstream asks to slow down',
  upstream_unavailable: 'The upstream is out of service',
  upstream_unreachable: 'The upstream cannot be reached',
  upstream_outcome_unknown: 'Whether the upstream counted the login is unknown',
  cooldown: 'Waiting after an earlier failure',
  refresh_in_progress: 'A token is being fetched',
  secret_unavailable: 'The secret cannot be read',
  secret_invalid: 'The secret has the wrong shape',
  store_unavailable: 'The token store cannot be reached',
  kms_unavailable: 'The key service cannot be reached',
  mint_unavailable: 'The mint function cannot be invoked',
  audit_unavailable: 'The hand-out could not be recorded',
  upstream_timeout: 'The upstream did not answer in time',
  deadline_exceeded: 'The time for this request is over',
} as const satisfies Record<BrokerErrorCode, string>;

/** Turns whatever was thrown into a `BrokerError`; what is not one becomes `internal`, and nothing of it is kept. */
export function brokerErrorOf(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  return new BrokerError('internal', "Something unforeseen happened. The function's log has it under the request id.");
}

/** Tells a caller that an error is the broker's, with its code, and not the upstream's. */
export const ERROR_HEADER = 'token-broker-error';

/** The error of a proxied call to a connection that declares no proxy. */
export function noProxy(connection: Connection): BrokerError {
  return new BrokerError('not_found', `The connection ${connection.name} declares no proxy.`);
}

/** An error as an RFC 9457 problem, with `Retry-After` in whole seconds where the time is known (RFC 9110 §10.2.3). */
export function problemResponse(error: BrokerError, requestId: string): APIGatewayProxyStructuredResultV2 {
  const { code, status, detail, causeCode, retryAfterMs, allow } = error;
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
      ...(allow === undefined ? {} : { allow: allow.join(', ') }),
    },
    body: JSON.stringify({
      type: `urn:token-broker:error:${code}`,
      title: titleByCode[code],
      status,
      detail,
      code,
      request_id: requestId,
      ...(causeCode === undefined ? {} : { cause: causeCode }),
    }),
  };
}

/** The headers of a JSON answer that no cache may keep. */
export const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const;

/** A JSON answer that no cache may keep. */
export function jsonResponse(statusCode: number, body: unknown): APIGatewayProxyStructuredResultV2 {
  return {
    statusCode,
    headers: { ...JSON_HEADERS },
    body: JSON.stringify(body),
  };
}
