import { BEARER, IN_SECONDS, OAUTH_ANSWER, type Provider } from '../provider.ts';

/**
 * UKG Pro Workforce Management by a user's password; `baseUrl` is the tenant's API host. RFC 9700 §2.4 advises against
 * this grant: use another flow where the tenant has one.
 * https://developer.ukg.com/talk/docs/ukg-authentication-doc
 * Not seen in the vendor's text: endpoint and parameters, taken from a catalogue.
 */
export const ukgProWfm = {
  secretFields: { clientId: {}, clientSecret: {}, username: {}, password: {} },
  settings: { tenant: { kind: 'text' }, loginHost: { kind: 'host', default: 'welcome-us.ukg.net' } },
  logins: {
    system: [
      {
        url: 'https://{loginHost}/oauth/token',
        json: {
          grant_type: 'http://auth0.com/oauth/grant-type/password-realm',
          audience: 'https://wfm.ukg.net/api',
          realm: '{tenant}',
          client_id: '{clientId}',
          client_secret: '{clientSecret}',
          username: '{username}',
          password: '{password}',
        },
        reads: OAUTH_ANSWER,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
