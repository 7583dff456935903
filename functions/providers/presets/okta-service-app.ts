import { BEARER, IN_SECONDS, type Provider, privateKeyJwt } from '../provider.ts';

const TOKEN_PATH = '/oauth2/v1/token';

/**
 * Okta service app. Its DPoP must be off: a bound token is of no use to a caller.
 * https://developer.okta.com/docs/guides/implement-oauth-for-okta-serviceapp/create-sign-jwt/
 * Not seen in the vendor's text: the hour of a token.
 */
export const oktaServiceApp = {
  secretFields: { clientId: {}, keyId: { optional: true }, privateKey: { kind: 'pem' } },
  settings: { scope: { kind: 'list' } },
  derived: {
    id: { random: 'uuid' },
    assertion: {
      jwt: {
        alg: 'RS256',
        key: '{privateKey}',
        header: { kid: '{keyId}' },
        claims: { iss: '{clientId}', sub: '{clientId}', aud: `{baseUrl}${TOKEN_PATH}`, jti: '{id}' },
        lifeSeconds: 300,
      },
    },
  },
  logins: { system: [privateKeyJwt(TOKEN_PATH, { scope: '{scope}' })] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
