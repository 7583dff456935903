import { BEARER, IN_SECONDS, type Provider, privateKeyJwt } from '../provider.ts';

/**
 * OAuth 2.0 client credentials with a signed JWT in place of a secret: `private_key_jwt` (RFC 7523 §2.2, §3). The JWT is
 * for the token endpoint, or for `assertionAudience` where a server wants its issuer there.
 */
export const oauthPrivateKeyJwt = {
  secretFields: { clientId: {}, keyId: { optional: true }, privateKey: { kind: 'pem' } },
  settings: {
    tokenPath: { kind: 'path', default: '/oauth2/token' },
    assertionAudience: { kind: 'text', default: '{baseUrl}{tokenPath}' },
    scope: { kind: 'list', optional: true },
    audience: { kind: 'text', optional: true },
    resource: { kind: 'text', optional: true },
  },
  derived: {
    id: { random: 'uuid' },
    assertion: {
      jwt: {
        alg: 'RS256',
        key: '{privateKey}',
        header: { kid: '{keyId}' },
        claims: { iss: '{clientId}', sub: '{clientId}', aud: '{assertionAudience}', jti: '{id}' },
        lifeSeconds: 300,
      },
    },
  },
  logins: {
    system: [privateKeyJwt('{tokenPath}', { scope: '{scope}', audience: '{audience}', resource: '{resource}' })],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
