import { BEARER, IN_SECONDS, jwtBearer, type Provider } from '../provider.ts';

const LOGIN = [jwtBearer('https://{loginHost}/oauth/token')];

/**
 * Docusign by a signed JWT, as the user of the secret, who must have consented once.
 * https://developers.docusign.com/platform/auth/jwt-get-token.md
 * Not seen in the vendor's text: the hour of a token.
 */
export const docusign = {
  secretFields: { integrationKey: {}, userId: {}, privateKey: { kind: 'pem' } },
  settings: { loginHost: { kind: 'host', default: 'account.docusign.com' } },
  derived: {
    assertion: {
      jwt: {
        alg: 'RS256',
        key: '{privateKey}',
        claims: { iss: '{integrationKey}', sub: '{userId}', aud: '{loginHost}', scope: 'signature impersonation' },
        lifeSeconds: 3600,
      },
    },
  },
  logins: { system: LOGIN },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
