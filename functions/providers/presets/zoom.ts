import { BEARER, CLIENT, clientSecretBasic, IN_SECONDS, type Provider } from '../provider.ts';

/**
 * Zoom, server to server; `baseUrl` is the API's, `https://api.zoom.us`.
 * https://developers.zoom.us/docs/rooms/s2s-oauth/
 */
export const zoom = {
  secretFields: CLIENT,
  settings: { accountId: { kind: 'text' } },
  logins: {
    system: [
      clientSecretBasic('https://zoom.us/oauth/token', {
        grant_type: 'account_credentials',
        account_id: '{accountId}',
      }),
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
