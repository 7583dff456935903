import { BEARER, body, IN_SECONDS, jwtBearer, type Provider } from '../provider.ts';

const TOKEN_URL = 'https://{tokenHost}/token';

/**
 * Google service account: the key file as it was downloaded is the secret. A subject is a user's address, by
 * domain-wide delegation. `tokenHost` is the host in the file's `token_uri`.
 * https://developers.google.com/identity/protocols/oauth2/service-account
 */
export const googleServiceAccount = {
  secretFields: { client_email: {}, private_key: { kind: 'pem' }, private_key_id: { optional: true } },
  settings: { scope: { kind: 'list' }, tokenHost: { kind: 'host', default: 'oauth2.googleapis.com' } },
  userSubject: { pattern: '[A-Za-z0-9._~-]{1,63}@[A-Za-z0-9.-]{1,63}', words: "user's address" },
  derived: {
    assertion: {
      jwt: {
        alg: 'RS256',
        key: '{private_key}',
        header: { typ: 'JWT', kid: '{private_key_id}' },
        claims: { iss: '{client_email}', scope: '{scope}', aud: TOKEN_URL, sub: '{subject}' },
        lifeSeconds: 3600,
      },
    },
  },
  logins: { system: [jwtBearer(TOKEN_URL)], user: [jwtBearer(TOKEN_URL)] },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
  answers: [
    {
      of: 'user',
      at: body('error'),
      is: ['unauthorized_client'],
      means: 'subject',
      message: body('error_description'),
      hint: 'Delegate these scopes to the service account in the Admin console of the user’s domain.',
    },
  ],
} as const satisfies Provider;
