import { BEARER, CLIENT, IN_SECONDS, OAUTH_ANSWER, type Provider } from '../provider.ts';

/**
 * CrowdStrike Falcon; `baseUrl` is the cloud's, `memberCid` a child tenant.
 * https://github.com/CrowdStrike/falconpy/wiki/oauth2
 */
export const crowdstrike = {
  secretFields: CLIENT,
  settings: { memberCid: { kind: 'text', optional: true } },
  logins: {
    system: [
      {
        url: '/oauth2/token',
        form: { client_id: '{clientId}', client_secret: '{clientSecret}', member_cid: '{memberCid}' },
        reads: OAUTH_ANSWER,
      },
    ],
  },
  placement: { headers: BEARER },
  lifetime: IN_SECONDS,
  logout: {
    url: '/oauth2/revoke',
    basic: { user: '{clientId}', password: '{clientSecret}' },
    form: { token: '{token}' },
  },
} as const satisfies Provider;
