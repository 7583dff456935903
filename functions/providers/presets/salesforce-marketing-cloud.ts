import { BEARER, body, CLIENT, IN_SECONDS, OAUTH_ANSWER, type Provider } from '../provider.ts';

/**
 * Salesforce Marketing Cloud: `baseUrl` is the tenant's auth host, and the answer names the API's.
 * https://developer.salesforce.com/docs/marketing/marketing-cloud/guide/access-token-s2s.html
 * Not seen in the vendor's text: the path, the names of the parameters, the member that names the API's host.
 */
export const salesforceMarketingCloud = {
  secretFields: CLIENT,
  settings: { accountId: { kind: 'text', optional: true } },
  logins: {
    system: [
      {
        url: '/v2/token',
        json: {
          grant_type: 'client_credentials',
          client_id: '{clientId}',
          client_secret: '{clientSecret}',
          account_id: '{accountId}',
        },
        reads: { ...OAUTH_ANSWER, rest: body('rest_instance_url') },
      },
    ],
  },
  placement: { headers: BEARER, baseUrl: '{rest}', hosts: ['*.marketingcloudapis.com'] },
  lifetime: IN_SECONDS,
} as const satisfies Provider;
