import { BEARER, IN_SECONDS, jwtBearer, type Provider } from '../provider.ts';

/** A signed JWT as the grant (RFC 7523 §2.1, §3), for the system or for a user named in `sub`. */
export const jwtBearerGrant = {
  secretFields: { issuer: {}, keyId: { optional: true }, privateKey: { kind: 'pem' } },
  settings: {
    tokenPath: { kind: 'path', default: '/oauth2/token' },
    assertionAudience: { kind: 'text', default: '{baseUrl}{tokenPath}' },
    scope: { kind: 'list', optional: true },
  },
  userSubject: { pattern: '[A-Za-z0-9._~@-]{1,128}', words: "user: what the JWT's `sub` says" },
  derived: {
    id: { random: 'uuid' },
    assertion: {
      jwt: {
        alg: 'RS256',
        key: '{privateKey}',
        header: { kid: '{keyId}' },
        claims: { iss: '{issuer}', sub: '{subject}', aud: '{assertionAudience}', jti: '{id}' },
        lifeSeconds: 300,
      },
    },
  },
  logins: {
    system: [jwtBearer('{tokenPath}', { scope: '{scope}' })],
    user: [jwtBearer('{tokenPath}', { scope: '{scope}' })],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
