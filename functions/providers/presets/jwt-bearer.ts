import {
  ASSERTION_SETTINGS,
  BEARER,
  GRANT_SETTINGS,
  GRANTED,
  jwtBearer,
  OAUTH_LIFE,
  type Provider,
} from '../provider.ts';

const SIGNED = { alg: '{algorithm}', key: '{privateKey}', header: { kid: '{keyId}' }, lifeSeconds: 300 } as const;
const CLAIMS = { iss: '{issuer}', aud: '{assertionAudience}', jti: '{id}' } as const;

/** A signed JWT as the grant (RFC 7523 §2.1, §3): `sub` is the user, for the system the issuer itself. */
export const jwtBearerGrant = {
  secretFields: { issuer: {}, keyId: { optional: true }, privateKey: { kind: 'pem' } },
  settings: { ...GRANT_SETTINGS, ...ASSERTION_SETTINGS },
  userSubject: { pattern: '[A-Za-z0-9._~@-]{1,128}', words: "user: what the JWT's `sub` says" },
  derived: {
    id: { random: 'uuid' },
    ownAssertion: { jwt: { ...SIGNED, claims: { ...CLAIMS, sub: '{issuer}' } } },
    assertion: { jwt: { ...SIGNED, claims: { ...CLAIMS, sub: '{subject}' } } },
  },
  logins: {
    system: [jwtBearer('{tokenPath}', { ...GRANTED, assertion: '{ownAssertion}' })],
    user: [jwtBearer('{tokenPath}', GRANTED)],
  },
  placement: { headers: BEARER },
  lifetime: OAUTH_LIFE,
} as const satisfies Provider;
