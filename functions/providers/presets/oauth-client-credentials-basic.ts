import { BEARER, CLIENT, clientSecretBasic, IN_SECONDS, type Provider } from '../provider.ts';

/** OAuth 2.0 client credentials, the secret in Basic: `client_secret_basic` (RFC 6749 §2.3.1, §4.4). */
export const oauthClientCredentialsBasic = {
  secretFields: CLIENT,
  settings: {
    tokenPath: { kind: 'path', default: '/oauth2/token' },
    scope: { kind: 'list', optional: true },
    audience: { kind: 'text', optional: true },
    resource: { kind: 'text', optional: true },
  },
  logins: {
    system: [clientSecretBasic('{tokenPath}', { scope: '{scope}', audience: '{audience}', resource: '{resource}' })],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
