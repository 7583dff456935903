import { BEARER, body, CLIENT, clientSecretPost, type Provider } from '../provider.ts';

/**
 * Salesforce client credentials; `baseUrl` is the org's My Domain. The answer has no end: `lifetimeSeconds` is the
 * org's session policy.
 * https://nango.dev/docs/api-integrations/salesforce-cc (a third party: no vendor's text was seen)
 */
export const salesforceClientCredentials = {
  secretFields: CLIENT,
  defaults: { lifetimeSeconds: 7200 },
  logins: {
    system: [
      {
        ...clientSecretPost('/services/oauth2/token'),
        reads: { token: body('access_token'), instance: body('instance_url') },
      },
    ],
  },
  placement: { headers: BEARER, baseUrl: '{instance}', hosts: ['*.salesforce.com', '*.force.com'] },
  lifetime: [{ setting: 'lifetimeSeconds' }],
} as const satisfies Provider;
