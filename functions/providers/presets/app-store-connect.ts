import { BEARER, type Provider } from '../provider.ts';

/**
 * Apple App Store Connect by a team key: the signed JWT is the token.
 * https://developer.apple.com/documentation/appstoreconnectapi/generating-tokens-for-api-requests
 * Not seen in the vendor's text: the limit of 20 minutes, and a call that every key may make, so there is no probe.
 */
export const appStoreConnect = {
  secretFields: { issuerId: {}, keyId: {}, privateKey: { kind: 'pem' } },
  derived: {
    token: {
      jwt: {
        alg: 'ES256',
        key: '{privateKey}',
        header: { kid: '{keyId}', typ: 'JWT' },
        claims: { iss: '{issuerId}', aud: 'appstoreconnect-v1' },
        lifeSeconds: 1140,
      },
    },
  },
  logins: { system: [] },
  placement: { headers: BEARER },
  lifetime: [{ jwt: 'token' }],
} as const satisfies Provider;
