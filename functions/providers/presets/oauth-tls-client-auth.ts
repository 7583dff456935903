import {
  BEARER,
  CERTIFIED_CLIENT,
  GRANT_SETTINGS,
  GRANTED,
  OAUTH_LIFE,
  type Provider,
  tlsClientAuth,
} from '../provider.ts';

/**
 * OAuth 2.0 client credentials with a client certificate in place of a secret: `tls_client_auth` and
 * `self_signed_tls_client_auth` (RFC 8705 §2). For tokens that are bound to it: `oauth-certificate-bound`.
 */
export const oauthTlsClientAuth = {
  secretFields: CERTIFIED_CLIENT,
  settings: GRANT_SETTINGS,
  logins: { system: [tlsClientAuth('{tokenPath}', GRANTED)] },
  placement: { headers: BEARER },
  lifetime: OAUTH_LIFE,
} as const satisfies Provider;
