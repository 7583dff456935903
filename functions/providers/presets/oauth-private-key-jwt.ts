import {
  ASSERTION_SETTINGS,
  BEARER,
  GRANT_SETTINGS,
  GRANTED,
  OAUTH_LIFE,
  type Provider,
  privateKeyJwt,
} from '../provider.ts';

/**
 * OAuth 2.0 client credentials with a signed JWT in place of a secret: `private_key_jwt` (RFC 7523 §2.2, §3). The JWT
 * is for the token endpoint, or for `assertionAudience` where a server wants its issuer there.
 */
export const oauthPrivateKeyJwt = {
  secretFields: { clientId: {}, keyId: { optional: true }, privateKey: { kind: 'pem' } },
  settings: { ...GRANT_SETTINGS, ...ASSERTION_SETTINGS },
  derived: {
    id: { random: 'uuid' },
    assertion: {
      jwt: {
        alg: '{algorithm}',
        key: '{privateKey}',
        header: { kid: '{keyId}' },
        claims: { iss: '{clientId}', sub: '{clientId}', aud: '{assertionAudience}', jti: '{id}' },
        lifeSeconds: 300,
      },
    },
  },
  logins: { system: [privateKeyJwt('{tokenPath}', GRANTED)] },
  placement: { headers: BEARER },
  lifetime: OAUTH_LIFE,
} as const satisfies Provider;
