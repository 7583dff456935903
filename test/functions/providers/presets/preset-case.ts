import type { IssuedLife } from '../../../../functions/core/slot/lifetime.ts';
import type { BrokerErrorCode } from '../../../../functions/core/words/errors.ts';
import type { Answer } from '../provider-harness.ts';

/** A preset with what its vendor documents: the request, an answer, an error, and an API call. */
export interface PresetCase {
  readonly preset: string;
  readonly baseUrl: string;
  /** Keys of the connection beside `provider` and `baseUrl`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly secret: Readonly<Record<string, string>>;
  readonly subject?: string;
  /** Every request of a login, but what is signed or new in each: see `Signed`. */
  readonly sent: readonly SentRequest[];
  readonly answers: readonly Answer[];
  /** The token, or `jwt` for one that the case signs. */
  readonly token: string | { readonly jwt: Signed };
  readonly life: IssuedLife;
  /** An API call: its headers by lower-case name, and where it goes. */
  readonly placed: Placed;
  readonly errors: readonly (readonly [answer: Answer, code: BrokerErrorCode])[];
  /** The request that ends the token, where the preset has one, and the answer to it. */
  readonly logout?: readonly [sent: SentRequest, answer: Answer];
}

/** A request as it must be sent; `signed` says what the JWT in the place of `<jwt>` holds. */
export interface SentRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signed?: Signed;
  readonly certificate?: true;
}

/** A JWT: header and claims without `iat` and `exp`, how long it lives, and the algorithm and key that verify it. */
export interface Signed {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly lifeSeconds: number;
}

export interface Placed {
  readonly headers: Readonly<Record<string, string>>;
  readonly baseUrl?: string;
  /** The proxy alone may place the token: the call carries a part of the credential. */
  readonly proxyOnly?: true;
}

/** The time of every login in these cases. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

const JSON_HEADERS = { accept: 'application/json' };

/** A form, sent by POST. */
export function form(url: string, body: string, headers: Readonly<Record<string, string>> = {}): SentRequest {
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return { url, headers: { ...JSON_HEADERS, ...type, ...headers }, body };
}

/** JSON, sent by POST. */
export function json(url: string, value: unknown): SentRequest {
  return { url, headers: { ...JSON_HEADERS, 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

/** `client` and `s+cret/1` as client_secret_basic has them, form-encoded first (RFC 6749 §2.3.1). */
export const BASIC = { authorization: `Basic ${Buffer.from('client:s%2Bcret%2F1').toString('base64')}` };

/** A client whose secret has signs that a form encodes. */
export const CLIENT = { clientId: 'client', clientSecret: 's+cret/1' };

/** The form members of that client, after its grant type. */
export const IN_FORM = 'client_id=client&client_secret=s%2Bcret%2F1';

/** An OAuth token answer of an hour. */
export const AN_HOUR: Answer = { body: '{"access_token":"abc","token_type":"Bearer","expires_in":3600}' };

/** The expected result of that answer. */
export const OF_AN_HOUR = {
  answers: [AN_HOUR],
  token: 'abc',
  life: { seconds: 3600 },
  placed: { headers: { authorization: 'Bearer abc' } },
} as const;

/** An error of RFC 6749 §5.2. */
export function oauthError(error: string, status = 400): Answer {
  return { status, body: JSON.stringify({ error, error_description: 'Said plainly.' }) };
}

/** The answer of a token endpoint that does not know the client, and the code for it. */
export const UNKNOWN_CLIENT = [oauthError('invalid_client', 401), 'upstream_credential_rejected'] as const;
