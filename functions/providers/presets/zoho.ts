import { body, IN_SECONDS, OAUTH_ANSWER, type Provider } from '../provider.ts';

/** https://www.zoho.com/workdrive/developer/docs/api/v1/getting-started-multi-dc-support.html */
const DATA_CENTRES = ['com', 'eu', 'in', 'com.au', 'com.cn', 'jp', 'ae', 'ca', 'sa'];

/**
 * Zoho by a refresh token that does not change; `baseUrl` is the accounts server of the data centre, and the answer
 * names the API's host. At most ten tokens in ten minutes, and a sixteenth live one ends the oldest.
 * https://www.zoho.com/crm/developer/docs/api/v3/token-validity.html
 * Not seen in the vendor's text: the scheme, and that errors come with status 200.
 */
export const zoho = {
  secretFields: { clientId: {}, clientSecret: {}, refreshToken: {} },
  logins: {
    system: [
      {
        url: '/oauth/v2/token',
        form: {
          grant_type: 'refresh_token',
          client_id: '{clientId}',
          client_secret: '{clientSecret}',
          refresh_token: '{refreshToken}',
        },
        reads: { ...OAUTH_ANSWER, api: body('api_domain') },
      },
    ],
  },
  placement: {
    headers: { Authorization: 'Zoho-oauthtoken {token}' },
    baseUrl: '{api}',
    hosts: DATA_CENTRES.map((domain) => `www.zohoapis.${domain}`),
  },
  lifetime: IN_SECONDS,
  answers: [
    { at: body('error'), is: ['invalid_code', 'invalid_client', 'invalid_client_secret'], means: 'credential' },
  ],
  limits: { tokens: { count: 10, perSeconds: 600 } },
} as const satisfies Provider;
