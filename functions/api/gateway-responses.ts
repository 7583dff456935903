import { ERROR_HEADER } from '../core/words/marks.ts';

/** An answer that API Gateway gives by itself, in the shape of the broker's own errors. */
export interface GatewayAnswer {
  /** Undefined for a type that stands for several: API Gateway keeps the status of each. */
  readonly status?: number;
  readonly code: string;
  readonly title: string;
  /** Fault and remedy. Never API Gateway's own words: they quote the signed headers, a session token among them. */
  readonly detail: string;
  /** Seconds; where the same request may succeed later. */
  readonly retryAfter?: number;
}

const NOT_ALLOWED = 'Not allowed';

/**
 * The answers of API Gateway's own by its response types; `DEFAULT_4XX` and `DEFAULT_5XX` stand for all that are not
 * here. Deployed they are a part of the API's body, on loopback the gateway answers them.
 */
export const gatewayAnswers = {
  MISSING_AUTHENTICATION_TOKEN: {
    status: 403,
    code: 'forbidden',
    title: NOT_ALLOWED,
    detail:
      'The request is not signed, or there is no such route; API Gateway does not tell which. Sign it with SigV4 for service execute-api, and check its path and that the URL ends in /v1.',
  },
  INVALID_SIGNATURE: {
    status: 403,
    code: 'signature_invalid',
    title: 'The signature is not valid',
    detail:
      'The signature does not fit the request, or its time is more than five minutes off. Sign the whole URL, /v1 included, for service execute-api and the region of the API, and set the clock.',
  },
  EXPIRED_TOKEN: {
    status: 403,
    code: 'credentials_expired',
    title: 'The credentials have expired',
    detail: 'The AWS credentials that signed the request have expired. Get new ones.',
  },
  ACCESS_DENIED: {
    status: 403,
    code: 'forbidden',
    title: NOT_ALLOWED,
    detail:
      'The signature is good, and its principal may not do this: it has no grant, or the broker does not name it.',
  },
  WAF_FILTERED: {
    status: 403,
    code: 'forbidden',
    title: NOT_ALLOWED,
    detail: 'A firewall before the API refused the request.',
  },
  RESOURCE_NOT_FOUND: { status: 404, code: 'not_found', title: 'No such route', detail: 'The API has no such path.' },
  REQUEST_TOO_LARGE: {
    status: 413,
    code: 'payload_too_large',
    title: 'The body is too large',
    detail: 'The request is larger than the API takes.',
  },
  THROTTLED: {
    status: 429,
    code: 'rate_limited',
    title: 'The API is throttled',
    detail: 'There are more requests than the API takes from all callers together. Ask less often.',
    retryAfter: 1,
  },
  INTEGRATION_TIMEOUT: {
    status: 504,
    code: 'timeout',
    title: 'The function did not answer in time',
    detail: 'The broker did not answer in time. Ask again.',
    retryAfter: 1,
  },
  DEFAULT_4XX: {
    code: 'invalid_request',
    title: 'The request is malformed',
    detail:
      'The API could not take the request: its credentials are unknown, its Authorization header is incomplete, its path is no percent-encoded UTF-8, or request line and headers are over 10,240 bytes.',
  },
  DEFAULT_5XX: {
    status: 503,
    code: 'unavailable',
    title: 'The function failed',
    detail: 'The broker failed before it could say why; its log has more. Ask again.',
    retryAfter: 1,
  },
} as const satisfies Record<string, GatewayAnswer>;

/** A response type of API Gateway. */
export type GatewayAnswerType = keyof typeof gatewayAnswers;

/** Builds an answer of API Gateway's own: its headers, and the body as an RFC 9457 problem. */
export function writeGatewayAnswer(type: GatewayAnswerType, requestId: string) {
  const { status, code, title, detail, retryAfter }: GatewayAnswer = gatewayAnswers[type];
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      [ERROR_HEADER]: code,
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    },
    body: {
      type: `urn:token-broker:error:${code}`,
      title,
      ...(status === undefined ? {} : { status }),
      detail,
      code,
      request_id: requestId,
    },
  };
}
