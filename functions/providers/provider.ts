import type { End, JsonTemplate, Provider, Source, Step, Text } from '../core/slot/provider.ts';

export type { Provider } from '../core/slot/provider.ts';

/** A value in a JSON or XML body, under the members named, outermost first. */
export function body(...path: readonly (string | number)[]) {
  return { in: 'body', path } as const;
}

/** A value in a response header; the name matches in any case (C14). */
export function header(name: string) {
  return { in: 'header', name } as const;
}

/** The values in an OAuth token answer (RFC 6749 §5.1). */
export const OAUTH_ANSWER = { token: body('access_token'), life: body('expires_in') } as const satisfies Record<
  string,
  Source
>;

/** The end of a token of which an answer says nothing, or nothing that can be read. */
const AN_HOUR = { seconds: 3600 } as const satisfies End;

/** A life in seconds, read as `life`; an hour where the answer does not say. */
export const IN_SECONDS = [{ value: 'life', as: 'seconds' }, AN_HOUR] as const satisfies readonly End[];

/** The end of an OAuth token: `expires_in`, else the `exp` of a token that is a JWT (RFC 9068 §2.2), else an hour. */
export const OAUTH_LIFE = [
  { value: 'life', as: 'seconds' },
  { jwt: 'token' },
  AN_HOUR,
] as const satisfies readonly End[];

/** Settings of a request for an OAuth token: where, and for what (RFC 6749 §3.3, RFC 8707 §2). */
export const GRANT_SETTINGS = {
  tokenPath: { kind: 'path', default: '/oauth2/token' },
  scope: { kind: 'list', optional: true },
  audience: { kind: 'text', optional: true },
  resource: { kind: 'list', repeated: true, optional: true },
} as const satisfies Provider['settings'];

/** The parameters of those settings. */
export const GRANTED = { scope: '{scope}', audience: '{audience}', resource: '{resource}' } as const;

/** Settings of a JWT signed for a token endpoint (RFC 7523 §3, RFC 7518 §3.1). */
export const ASSERTION_SETTINGS = {
  assertionAudience: { kind: 'text', default: '{baseUrl}{tokenPath}' },
  algorithm: { kind: 'enum', values: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'], default: 'RS256' },
} as const satisfies Provider['settings'];

/** `Authorization: Bearer` (RFC 6750 §2.1). */
export const BEARER = { Authorization: 'Bearer {token}' } as const;

/** Client credentials with the secret in the form (RFC 6749 §2.3.1, §4.4). */
export function clientSecretPost(url: Text, form: Readonly<Record<string, Text>> = {}) {
  return {
    url,
    form: { grant_type: 'client_credentials', client_id: '{clientId}', client_secret: '{clientSecret}', ...form },
    reads: OAUTH_ANSWER,
  } as const satisfies Step;
}

/** Client credentials with the secret in Basic, form-encoded first (RFC 6749 §2.3.1, §4.4). */
export function clientSecretBasic(url: Text, form: Readonly<Record<string, Text>> = {}) {
  return {
    url,
    basic: { user: '{clientId}', password: '{clientSecret}', formEncoded: true },
    form: { grant_type: 'client_credentials', ...form },
    reads: OAUTH_ANSWER,
  } as const satisfies Step;
}

/** Client credentials with a signed JWT, the derived value `assertion`, in place of a secret (RFC 7523 §2.2). */
export function privateKeyJwt(url: Text, form: Readonly<Record<string, Text>> = {}) {
  return {
    url,
    form: {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: '{assertion}',
      ...form,
    },
    reads: OAUTH_ANSWER,
  } as const satisfies Step;
}

/** Client credentials with a certificate of the TLS connection in place of a secret (RFC 8705 §2). */
export function tlsClientAuth(url: Text, form: Readonly<Record<string, Text>> = {}) {
  return {
    url,
    form: { grant_type: 'client_credentials', client_id: '{clientId}', ...form },
    certificate: CERTIFICATE,
    reads: OAUTH_ANSWER,
  } as const satisfies Step;
}

/** A client certificate and its key, out of the secret (RFC 8705). */
export const CERTIFICATE = { cert: '{certificate}', key: '{privateKey}' } as const;

/** The fields of a client with a certificate. */
export const CERTIFIED_CLIENT = {
  clientId: {},
  certificate: { kind: 'pem' },
  privateKey: { kind: 'pem' },
} as const satisfies Provider['secretFields'];

/** A signed JWT, the derived value `assertion`, as the grant (RFC 7523 §2.1). */
export function jwtBearer(url: Text, form: Readonly<Record<string, Text>> = {}) {
  return {
    url,
    form: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: '{assertion}', ...form },
    reads: OAUTH_ANSWER,
  } as const satisfies Step;
}

/** A JSON body with one token under a path. */
export function loginJson(url: Text, json: JsonTemplate, ...path: readonly string[]) {
  return { url, json, reads: { token: body(...path) } } as const satisfies Step;
}

/** The fields of a client with a secret (RFC 6749 §2.3.1). */
export const CLIENT = { clientId: {}, clientSecret: {} } as const satisfies Provider['secretFields'];

/** The fields of a client whose credential is a refresh token (RFC 6749 §6). */
export const REFRESHING_CLIENT = {
  ...CLIENT,
  refreshToken: { rotates: { graceSeconds: 0 } },
} as const satisfies Provider['secretFields'];

/** The values in the answer to a refresh token: the next one too, where the server gives one. */
export const REFRESHED = { ...OAUTH_ANSWER, refreshToken: body('refresh_token') } as const satisfies Record<
  string,
  Source
>;
