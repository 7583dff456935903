import {
  BEARER,
  CERTIFICATE,
  CERTIFIED_CLIENT,
  GRANT_SETTINGS,
  GRANTED,
  OAUTH_LIFE,
  type Provider,
  tlsClientAuth,
} from '../provider.ts';

/**
 * `oauth-tls-client-auth` with tokens that are bound to the certificate: every API call is made with it (RFC 8705 §3),
 * so the proxy alone serves it.
 */
export const oauthCertificateBound = {
  secretFields: CERTIFIED_CLIENT,
  settings: GRANT_SETTINGS,
  logins: { system: [tlsClientAuth('{tokenPath}', GRANTED)] },
  placement: { headers: BEARER, certificate: CERTIFICATE },
  lifetime: OAUTH_LIFE,
} as const satisfies Provider;
