import { BEARER, clientSecretBasic, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Workday by a refresh token that does not expire.
 * https://www.ibm.com/docs/en/ace-ipaas?topic=workday-obtaining-connection-values (a third party: no vendor's text was
 * seen; the hour of a token is what third parties assume)
 */
export const workday = {
  secretFields: { clientId: {}, clientSecret: {}, refreshToken: {} },
  settings: { tenant: { kind: 'text' } },
  logins: {
    system: [
      clientSecretBasic('/ccx/oauth2/{tenant}/token', { grant_type: 'refresh_token', refresh_token: '{refreshToken}' }),
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
