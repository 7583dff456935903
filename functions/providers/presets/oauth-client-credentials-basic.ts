import { BEARER, CLIENT, clientSecretBasic, GRANT_SETTINGS, GRANTED, OAUTH_LIFE, type Provider } from '../provider.ts';

/** OAuth 2.0 client credentials, the secret in Basic: `client_secret_basic` (RFC 6749 §2.3.1, §4.4). */
export const oauthClientCredentialsBasic = {
  secretFields: CLIENT,
  settings: GRANT_SETTINGS,
  logins: { system: [clientSecretBasic('{tokenPath}', GRANTED)] },
  placement: { headers: BEARER },
  lifetime: OAUTH_LIFE,
} as const satisfies Provider;
